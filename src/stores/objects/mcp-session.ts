// Sessions at legacy upstreams: kept by one `McpSession` object per owner, remembered by the isolate.
import type { McpSessionRpc } from '../../../durable-objects/contracts.ts';
import type { Env } from '../../env.ts';
import type { UpstreamSession, UpstreamSessions } from '../../mcp/ports.ts';
import type { Upstream } from '../../policy/snapshot.ts';

/** Of all owners together; the oldest are forgotten here and asked of their object again. */
const MOST_REMEMBERED = 10_000;
const remembered = new Map<string, UpstreamSession>();

/** A redefined upstream has a new fingerprint, hence other sessions. */
function keyOf(owner: string, upstream: Upstream): string {
  return JSON.stringify([owner, upstream.name, upstream.fingerprint]);
}

function remember(key: string, session: UpstreamSession): void {
  remembered.delete(key);
  remembered.set(key, session);
  if (remembered.size <= MOST_REMEMBERED) return;
  const [oldest] = remembered.keys();
  if (oldest !== undefined) remembered.delete(oldest);
}

export function createUpstreamSessions(env: Pick<Env, 'MCP_SESSION'>): UpstreamSessions {
  // The mapped type of a stub does not end on the recursive JSON types of the protocol; its contract says the same.
  const objectOf = (owner: string): McpSessionRpc =>
    env.MCP_SESSION.get(env.MCP_SESSION.idFromName(owner)) as unknown as McpSessionRpc;
  return {
    async get(owner, upstream) {
      const key = keyOf(owner, upstream);
      const held = remembered.get(key);
      if (held !== undefined) return held;
      const stored = await objectOf(owner).getUpstreamSession(upstream.name, upstream.fingerprint);
      if (stored !== undefined) remember(key, stored);
      return stored;
    },
    async put(owner, upstream, session) {
      remember(keyOf(owner, upstream), session);
      await objectOf(owner).putUpstreamSession(upstream.name, upstream.fingerprint, session);
    },
    async drop(owner, upstream, sessionId) {
      const key = keyOf(owner, upstream);
      if (remembered.get(key)?.sessionId === sessionId) remembered.delete(key);
      await objectOf(owner).dropUpstreamSession(upstream.name, sessionId);
    },
  };
}
