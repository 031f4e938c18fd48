// A runtime that is asked to end does so with its last response, and what requests left to be done after theirs, such as
// handing on the last batch of audit events, ends with it. A request held open until then gives it time.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const ANNOUNCE_MS = 500;
const POLL_MS = 50;
/** For what is left to be done once nobody is connected. */
const REST_MS = 2_000;

/**
 * Announces the end to the gateway, with a request that is held open. The function returned waits until it is the only
 * one left and the gateway has handed on all it had in memory, at most `maxMs`.
 * @param url of the gateway, on this machine
 */
export async function holdRequest(url: string, adminToken: string): Promise<(maxMs: number) => Promise<void>> {
  const { port } = new URL(url);
  const held = request(new URL('/api/shutdown', url), {
    method: 'POST',
    agent: false,
    headers: { authorization: `Bearer ${adminToken}`, 'transfer-encoding': 'chunked' },
  });
  // A runtime that is not there, or does not answer, has nothing to wait for.
  const over = new Promise<void>((resolve) => {
    held.on('error', () => resolve());
    held.on('response', (response: IncomingMessage) => {
      response.on('error', () => resolve()).on('close', () => resolve());
      response.resume();
    });
  });
  held.flushHeaders();
  // The answer begins when the gateway has taken the request on, and all who only listen are told.
  await Promise.race([once(held, 'response').catch(() => {}), sleep(ANNOUNCE_MS, undefined, { ref: false })]);
  return async (maxMs) => {
    const deadline = performance.now() + maxMs - REST_MS;
    while (!held.destroyed && performance.now() < deadline && (await connectionsTo(Number(port))) > 1)
      await sleep(POLL_MS);
    held.end();
    await Promise.race([over, sleep(REST_MS, undefined, { ref: false })]);
  };
}

/** Open connections whose near end is this port; 0 where the system does not tell. */
async function connectionsTo(port: number): Promise<number> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const local = port.toString(16).toUpperCase().padStart(4, '0');
  // proc_net(5): number, local address:port, remote address:port, state, of which 01 is ESTABLISHED.
  const open = new RegExp(String.raw`^\s*\d+: [0-9A-F]+:${local} [0-9A-F]+:[0-9A-F]{4} 01 `, 'gm');
  return tables.join('\n').match(open)?.length ?? 0;
}
