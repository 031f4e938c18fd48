import type { McpSessionRpc, SessionRegisterRpc } from '../../../durable-objects/contracts.ts';
import { sessionName } from '../../../durable-objects/session-name.ts';
import type { Env } from '../../env.ts';

export interface ClientSessions {
  /** @returns the slot for a new session of the key; undefined when it has as many as it may */
  take(keyId: string, nonce: string, most: number): Promise<number | undefined>;
  at(keyId: string, slot: number): McpSessionRpc;
}

// The mapped types of the stubs do not end on the recursive JSON types of the protocol; their contracts say the same.
export function createClientSessions(env: Pick<Env, 'MCP_SESSION' | 'SESSION_REGISTER'>): ClientSessions {
  return {
    async take(keyId, nonce, most) {
      const register = env.SESSION_REGISTER.getByName(keyId) as unknown as SessionRegisterRpc;
      return register.take(keyId, nonce, most);
    },
    at: (keyId, slot) => env.MCP_SESSION.getByName(sessionName(keyId, slot)) as unknown as McpSessionRpc,
  };
}
