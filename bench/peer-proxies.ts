// Proxies from npm that put a stdio server behind HTTP, installed into a folder of their own.
import { spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, PROJECT_ROOT } from '../test/support/gateway-process.ts';
import { GATEWAY_CORE, spawnPinned } from './pinned-process.ts';

const PEERS = { supergateway: '4.0.0', 'mcp-proxy': '6.7.19' } as const;
const FOLDER = join(PROJECT_ROOT, '.cache/bench');

export type PeerName = keyof typeof PEERS;

export interface PeerProcess {
  readonly name: PeerName;
  readonly port: number;
  readonly child: ChildProcess;
}

export function peerTitle(name: PeerName): string {
  return `${name} ${PEERS[name]}`;
}

/** Installs what is missing; a second run touches no registry. */
export function installPeers(): void {
  const missing = Object.entries(PEERS).filter(([name]) => !existsSync(join(FOLDER, 'node_modules', name)));
  if (missing.length === 0) return;
  const specifiers = missing.map(([name, version]) => `${name}@${version}`);
  const args = ['install', '--prefix', FOLDER, '--no-audit', '--no-fund', '--loglevel=error', ...specifiers];
  const { status } = spawnSync('npm', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed`);
}

/** Both at their fastest: one child for everybody, no event store, no log. */
export async function startPeer(name: PeerName, command: readonly string[]): Promise<PeerProcess> {
  const port = await freePort();
  const program = join(FOLDER, 'node_modules/.bin', name);
  const args =
    name === 'supergateway'
      ? [
          '--stdio',
          command.join(' '),
          '--outputTransport',
          'streamableHttp',
          '--stateful',
          '--logLevel',
          'none',
          '--port',
          String(port),
        ]
      : ['--host', '127.0.0.1', '--port', String(port), '--server', 'stream', '--no-eventStore', '--', ...command];
  const child = spawnPinned(GATEWAY_CORE, [process.execPath, program, ...args], ['ignore', 'ignore', 'inherit']);
  await listens(port, name);
  return { name, port, child };
}

async function listens(port: number, name: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const answered = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (answered) return;
    if (Date.now() > deadline) throw new Error(`${name} did not start`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
