import type { AdminClient, ServerStatus } from '../admin-client.ts';

/** The first start of a server may have to download it. */
const DEADLINE_MS = 90_000;
const POLL_MS = 250;

/** Waits until every server was tried once, at most a minute and a half. */
export async function triedServers(
  admin: AdminClient,
): Promise<{ readonly servers: readonly ServerStatus[]; readonly untried: readonly string[] }> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const servers = await admin.servers();
    const untried = servers.filter(({ health }) => health.state === 'unknown').map(({ name }) => name);
    if (untried.length === 0 || performance.now() > deadline) return { servers, untried };
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}
