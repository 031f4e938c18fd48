// The protocol authors' own example servers, as upstreams over stdio.
import { fileURLToPath } from 'node:url';

/** The command line of one of them. */
export function referenceServer(
  name: 'server-filesystem' | 'server-everything',
  ...args: readonly string[]
): readonly string[] {
  return [process.execPath, fileURLToPath(import.meta.resolve(`@modelcontextprotocol/${name}/dist/index.js`)), ...args];
}
