// The protocol authors' own example servers, as upstreams.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { eventually, freePort, PROJECT_ROOT } from './gateway-process.ts';

/** The command line of one of them over stdio. */
export function referenceServer(name: 'server-filesystem' | 'server-everything', ...args: readonly string[]): string[] {
  return [process.execPath, join(PROJECT_ROOT, 'node_modules/@modelcontextprotocol', name, 'dist/index.js'), ...args];
}

/** The everything server over Streamable HTTP. */
export async function startEverythingOverHttp(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const port = await freePort();
  const [program = '', ...args] = referenceServer('server-everything', 'streamableHttp');
  const child = spawn(program, args, { env: { PATH: process.env['PATH'], PORT: String(port) }, stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}/mcp`;
  await eventually('the everything server over HTTP', 20_000, () =>
    fetch(url).then(
      () => true,
      () => undefined,
    ),
  );
  return {
    url,
    close: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
