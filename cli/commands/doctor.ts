// `sallyport doctor`: one line for everything a start needs.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { WORKERD } from '../workerd/binary.ts';
import { Complaint } from '../complaint.ts';
import { readConfig, shortPath } from '../config/read.ts';
import { dataFolder, type DataFolder } from '../data/folder.ts';
import { lockDataFolder } from '../data/lock.ts';
import { freePort } from '../port.ts';
import { authority, type Settings } from '../settings.ts';

/** Resolves with a word of praise; a Complaint says what to fix. */
type Examination = () => Promise<string> | string;

/** @throws Complaint when anything is to be fixed */
export async function doctor(settings: Settings): Promise<void> {
  const folder = dataFolder(settings.dataFolder);
  const examinations: readonly Examination[] = [
    () => `node ${process.version}`,
    examineRuntime,
    () => examineFolder(folder),
    () => examineLock(folder),
    async () => {
      await freePort(settings.host, settings.port);
      return `${authority(settings.host, settings.port)} is free`;
    },
    () => examineConfig(settings),
  ];
  let toFix = 0;
  for (const examine of examinations) {
    try {
      console.log(`ok   ${await examine()}`);
    } catch (error) {
      if (!(error instanceof Complaint)) throw error;
      toFix += 1;
      console.log(error.message.replaceAll(/^/gm, 'fix  '));
    }
  }
  if (toFix > 0) throw new Complaint(`${toFix} of ${examinations.length} to be fixed`);
}

async function examineRuntime(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(WORKERD, ['--version']);
    return stdout.trim();
  } catch (error) {
    throw new Complaint(
      `workerd does not run here (${error instanceof Error ? error.message.split('\n')[0] : ''}): it needs Linux with glibc or macOS, and "npm install"`,
    );
  }
}

async function examineFolder({ path }: DataFolder): Promise<string> {
  if (!existsSync(path)) return `data folder ${shortPath(path)} will be made at the first start`;
  const { mode, uid } = await stat(path);
  if (process.getuid !== undefined && uid !== process.getuid()) {
    throw new Complaint(`data folder ${shortPath(path)} belongs to another user: chown it`);
  }
  if ((mode & 0o077) !== 0) {
    throw new Complaint(`data folder ${shortPath(path)} is open to other users: chmod 700 ${shortPath(path)}`);
  }
  return `data folder ${shortPath(path)}`;
}

function examineLock(folder: DataFolder): string {
  if (existsSync(folder.path)) lockDataFolder(folder).release();
  return 'no other sallyport uses it';
}

async function examineConfig({ configFile }: Settings): Promise<string> {
  if (!existsSync(configFile)) return `${shortPath(configFile)} will be written at the first start`;
  const { config } = await readConfig(configFile);
  return `${shortPath(configFile)}, ${config.warnings.length} warnings`;
}
