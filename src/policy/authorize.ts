// May this key do this? Pure, and denied unless something grants it.
import { ALLOW, deny, type Decision } from './decision.ts';
import { decideModel } from './model-scope.ts';
import type { VirtualKey } from './snapshot.ts';
import { decideTool } from './tool-scope.ts';

export type Action =
  | { readonly kind: 'tool.call'; readonly upstream: string; readonly tool: string }
  | { readonly kind: 'model.call'; readonly provider: string; readonly model: string };

/** @param now milliseconds since the epoch: a key may expire while its session goes on */
export function authorize(key: VirtualKey, action: Action, now: number): Decision {
  const standing = decideStanding(key, now);
  if (!standing.allow) return standing;
  return action.kind === 'tool.call'
    ? decideTool(key, action.upstream, action.tool)
    : decideModel(key, action.provider, action.model);
}

/** Whether the key is in force at all. A key is expired from the very millisecond of its expiry. */
export function decideStanding(key: Pick<VirtualKey, 'disabled' | 'expiresAt'>, now: number): Decision {
  if (key.disabled) return deny('key_disabled');
  if (key.expiresAt !== undefined && now >= key.expiresAt) return deny('key_expired');
  return ALLOW;
}
