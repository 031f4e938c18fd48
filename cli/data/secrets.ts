// The gateway's own secrets: from the environment, else from the data folder, else made and kept there.
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Environment } from '../config/variables.ts';
import { Complaint } from '../complaint.ts';
import type { DataFolder } from './folder.ts';

export interface OwnSecrets {
  readonly adminToken: string;
  /** 32 bytes in base64. */
  readonly masterKey: string;
  /** Just made: to be shown, once. */
  readonly adminTokenIsNew: boolean;
}

/** @throws Complaint when one that is set or stored is not usable */
export async function ownSecrets(folder: DataFolder, environment: Environment): Promise<OwnSecrets> {
  const stored = await readAdminToken(folder, environment);
  const adminToken = stored ?? (await keep(folder.adminToken, `sp-admin-${randomBytes(32).toString('base64url')}`));
  const masterKey =
    environment['SALLYPORT_MASTER_KEY'] ||
    ((await readIfThere(folder.masterKey)) ?? (await keep(folder.masterKey, randomBytes(32).toString('base64'))));
  if (Buffer.from(masterKey, 'base64').length !== 32) {
    const source = environment['SALLYPORT_MASTER_KEY'] ? 'SALLYPORT_MASTER_KEY' : folder.masterKey;
    throw new Complaint(`${source} must hold 32 bytes in base64: make one with "openssl rand -base64 32"`);
  }
  return { adminToken, masterKey, adminTokenIsNew: stored === undefined };
}

/** The admin token where there is one already. @throws Complaint when it is too short to be safe */
export async function readAdminToken(folder: DataFolder, environment: Environment): Promise<string | undefined> {
  const token = environment['SALLYPORT_ADMIN_TOKEN'] || (await readIfThere(folder.adminToken));
  if (token !== undefined && !/^[\x21-\x7e]{8,}$/.test(token)) {
    throw new Complaint('the admin token must be at least 8 printable characters without spaces');
  }
  return token;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function keep(file: string, secret: string): Promise<string> {
  await writeFile(file, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  return secret;
}
