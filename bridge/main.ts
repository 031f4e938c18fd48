// Entry point: `SALLYPORT_BRIDGE_SECRET=… node bridge/main.ts --host 127.0.0.1 --port 0`.
import type { AddressInfo } from 'node:net';
import { createBridgeServer } from './http-server.ts';
import { jsonLog } from './log.ts';
import { parseOptions } from './options.ts';
import type { BridgeOptions } from './options.ts';
import { Registry } from './registry.ts';

const options = parseOptions(process.argv.slice(2), process.env);
if (options.ok) {
  run(options.value);
} else {
  process.stderr.write(`bridge: ${options.problem}\n`);
  process.exitCode = 2;
}

function run({ host, port, maxChildren, logLevel, ignoreStdin, secret }: BridgeOptions): void {
  // Whoever read the log may be gone already, which is no reason to stop in the middle of a clean-up.
  process.stderr.on('error', () => {});
  process.stdout.on('error', () => {});
  const log = jsonLog(logLevel, (line) => process.stderr.write(line));
  const registry = new Registry(maxChildren, log);
  const server = createBridgeServer(registry, secret, log);

  let stopping = false;
  const stop = async (reason: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log('info', 'bridge.stopping', { reason });
    server.close();
    await registry.stop();
    server.closeAllConnections();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  if (!ignoreStdin) {
    // The parent's death closes it, too.
    process.stdin.once('end', () => void stop('end of standard input'));
    process.stdin.once('error', () => void stop('standard input failed'));
    process.stdin.resume();
  }

  server.once('error', (error) => {
    process.stderr.write(`bridge: cannot listen on ${host}:${port}: ${error.message}\n`);
    process.exit(1);
  });
  server.listen(port, host, () => {
    const address = server.address() as AddressInfo;
    process.stdout.write(`${JSON.stringify({ event: 'bridge.listening', port: address.port })}\n`);
  });
}
