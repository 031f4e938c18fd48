// The object of a name, as the links need it.
import type { Env } from '../../env.ts';
import type { PrincipalSessionPort, PrincipalSessions } from '../../mcp/upstream/principal-port.ts';

export function createPrincipalSessions(env: Pick<Env, 'PRINCIPAL_SESSION'>): PrincipalSessions {
  return (name) => {
    const { PRINCIPAL_SESSION: objects } = env;
    // The mapped type of a stub does not end on the recursive JSON types of the protocol; its contract says the same.
    return objects.get(objects.idFromName(name)) as unknown as PrincipalSessionPort;
  };
}
