// May this key do this? Pure, and denied unless something grants it.
import { ALLOW, deny, type Decision } from './decision.ts';
import { decideModel } from './model-scope.ts';
import { decideExtension, decideMcp } from './mcp-scope.ts';
import type { VirtualKey } from './snapshot.ts';

export type Action =
  | { readonly kind: 'tool.call'; readonly upstream: string; readonly tool: string }
  | { readonly kind: 'resource.read'; readonly upstream: string; readonly uri: string }
  | { readonly kind: 'prompt.get'; readonly upstream: string; readonly prompt: string }
  /** Of a method that the protocol's core does not know. */
  | { readonly kind: 'extension.call'; readonly upstream: string; readonly method: string }
  | { readonly kind: 'model.call'; readonly provider: string; readonly model: string };

/** @param now milliseconds since the epoch: a key may expire while its session goes on */
export function authorize(key: VirtualKey, action: Action, now: number): Decision {
  const standing = decideStanding(key, now);
  if (!standing.allow) return standing;
  switch (action.kind) {
    case 'tool.call':
      return decideMcp(key, 'tools', action.upstream, action.tool);
    case 'resource.read':
      return decideMcp(key, 'resources', action.upstream, action.uri);
    case 'prompt.get':
      return decideMcp(key, 'prompts', action.upstream, action.prompt);
    case 'extension.call':
      return decideExtension(key, action.upstream, action.method);
    case 'model.call':
      return decideModel(key, action.provider, action.model);
  }
}

/** Whether the key is in force at all. A key is expired from the very millisecond of its expiry. */
export function decideStanding(key: Pick<VirtualKey, 'disabled' | 'expiresAt'>, now: number): Decision {
  if (key.disabled) return deny('key_disabled');
  if (key.expiresAt !== undefined && now >= key.expiresAt) return deny('key_expired');
  return ALLOW;
}
