// A runtime that is asked to end does so with its last response, and what requests left to be done after theirs, such as
// handing on the last batch of audit events, ends with it. A request held open until then gives it time.
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** For the runtime to have taken the request on: only what is under way when it is asked to end is waited for. */
const TAKEN_ON_MS = 50;
const ANNOUNCE_MS = 500;
const POLL_MS = 50;
/** Several times what a batch waits, plus its commit. */
const AFTERWARDS_MS = 200;

/**
 * Holds a request open at the gateway. The function returned waits until it is the only one left and what follows the
 * others had its time, at most `maxMs`, and lets it go.
 * @param url of the gateway, on this machine
 */
export async function holdRequest(url: string, adminToken: string): Promise<(maxMs: number) => Promise<void>> {
  const { port } = new URL(url);
  // A definition whose body never comes: nothing can come of it but a refusal.
  const held = request(new URL('/api/virtual-keys', url), {
    method: 'POST',
    agent: false,
    headers: {
      authorization: `Bearer ${adminToken}`,
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
    },
  });
  held.on('error', () => {}); // A runtime that is not there has nothing to wait for.
  held.on('response', (response) => response.resume());
  held.flushHeaders();
  await Promise.all([announceShutdown(url, adminToken), sleep(TAKEN_ON_MS)]);
  return async (maxMs) => {
    const deadline = performance.now() + maxMs - AFTERWARDS_MS;
    while (!held.destroyed && performance.now() < deadline && (await connectionsTo(Number(port))) > 1)
      await sleep(POLL_MS);
    await sleep(AFTERWARDS_MS);
    held.end();
  };
}

/** Those who only listen end by themselves, once they are told. */
async function announceShutdown(url: string, adminToken: string): Promise<void> {
  const headers = { authorization: `Bearer ${adminToken}` };
  const signal = AbortSignal.timeout(ANNOUNCE_MS);
  // A runtime that does not answer has no one to tell.
  await fetch(new URL('/api/shutdown', url), { method: 'POST', headers, signal }).catch(() => {});
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
