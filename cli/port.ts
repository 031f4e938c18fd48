import { createServer } from 'node:net';
import { Complaint } from './complaint.ts';
import { authority } from './settings.ts';

/**
 * The port to listen on, tried out: better to say now that it is taken than to let the runtime fail on it.
 * @param port 0 lets the system choose
 * @throws Complaint when it cannot be listened on
 */
export async function freePort(host: string, port: number): Promise<number> {
  const server = createServer();
  try {
    return await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, exclusive: true }, () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  } catch (error) {
    throw new Complaint(`cannot listen on ${authority(host, port)}: ${reasonOf(error)}`);
  } finally {
    server.close();
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return 'the port is in use; stop what uses it or give --port another';
  if (code === 'EACCES') return 'the port needs privileges this user has not; give --port one above 1023';
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'this machine has no such address; give --host another';
  return error instanceof Error ? error.message : String(error);
}
