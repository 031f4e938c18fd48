// Starts the bare proxy on plain workerd, configured as the gateway's own worker is.
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { build } from 'esbuild';
import { freePort } from '../test/support/gateway-process.ts';
import { GATEWAY_CORE, spawnPinned } from './pinned-process.ts';

export interface RuntimeFlags {
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly v8Flags: readonly string[];
}

export async function startBareProxy(
  folder: string,
  upstreamPort: number,
  flags: RuntimeFlags,
): Promise<{ port: number; child: ChildProcess }> {
  await build({
    entryPoints: [new URL('bare-proxy.worker.ts', import.meta.url).pathname],
    outfile: join(folder, 'bare-proxy.js'),
    bundle: true,
    format: 'esm',
    minify: true,
    conditions: ['workerd', 'worker', 'browser'],
    logLevel: 'error',
  });
  const port = await freePort();
  const configPath = join(folder, 'bare-proxy.capnp');
  writeFileSync(configPath, capnp(port, upstreamPort, flags));
  const child = spawnPinned(GATEWAY_CORE, [workerdBinary(), 'serve', configPath], ['ignore', 'inherit', 'inherit']);
  await answers(port);
  return { port, child };
}

/** The program itself: the package's launcher would be one more process, and the wrong one to measure. */
function workerdBinary(): string {
  const fromWorkerd = createRequire(createRequire(import.meta.url).resolve('workerd'));
  return fromWorkerd.resolve(
    `@cloudflare/workerd-${process.platform}-${process.arch === 'x64' ? '64' : process.arch}/bin/workerd`,
  );
}

function capnp(port: number, upstreamPort: number, flags: RuntimeFlags): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = ${JSON.stringify(flags.v8Flags)},
  services = [
    (name = "proxy", worker = .proxy),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "proxy")],
);
const proxy :Workerd.Worker = (
  modules = [(name = "bare-proxy.js", esModule = embed "bare-proxy.js")],
  compatibilityDate = "${flags.compatibilityDate}",
  compatibilityFlags = ${JSON.stringify(flags.compatibilityFlags)},
  bindings = [(name = "UPSTREAM", text = "http://127.0.0.1:${upstreamPort}")],
);
`;
}

async function answers(port: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answered = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (answered) return;
    if (Date.now() > deadline) throw new Error('the bare proxy did not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
