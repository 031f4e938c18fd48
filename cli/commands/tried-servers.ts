import type { AdminClient, ListedServer, ServerHealth } from '../admin-client.ts';

/** The first start of a server may have to download it. */
const DEADLINE_MS = 90_000;
const POLL_MS = 250;

export interface TriedServer {
  readonly server: ListedServer;
  readonly health: ServerHealth;
}

/** Waits until every server was tried once, at most a minute and a half; the state of those that were not is `unknown`. */
export async function triedServers(admin: AdminClient): Promise<TriedServer[]> {
  const deadline = performance.now() + DEADLINE_MS;
  const listed = await admin.servers();
  return Promise.all(
    listed.map(async (server) => {
      for (;;) {
        const health = await admin.health(server.name);
        if (health.state !== 'unknown' || server.disabled || performance.now() > deadline) return { server, health };
        await new Promise((resolve) => {
          setTimeout(resolve, POLL_MS);
        });
      }
    }),
  );
}
