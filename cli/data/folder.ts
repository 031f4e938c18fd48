// The data folder: what survives a restart, readable by its owner alone.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Complaint } from '../complaint.ts';

export interface DataFolder {
  readonly path: string;
  /** Durable Objects' databases. */
  readonly objects: string;
  /** The D1 database. */
  readonly database: string;
  /** What one run of the gateway needs: bundles and workerd's configuration. Written anew at each start. */
  readonly run: string;
  readonly lock: string;
  readonly adminToken: string;
  readonly masterKey: string;
}

export function dataFolder(path: string): DataFolder {
  return {
    path,
    objects: join(path, 'do'),
    database: join(path, 'd1'),
    run: join(path, 'run'),
    lock: join(path, 'lock.sqlite'),
    adminToken: join(path, 'admin-token'),
    masterKey: join(path, 'master-key'),
  };
}

/** Makes what is missing. @throws Complaint when it cannot */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const folder = dataFolder(path);
  try {
    for (const part of [folder.path, folder.objects, folder.database, folder.run]) {
      await mkdir(part, { recursive: true, mode: 0o700 });
    }
  } catch (error) {
    throw new Complaint(
      `the data folder ${path} cannot be made: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return folder;
}
