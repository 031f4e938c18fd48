import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDataFolder } from '../../../cli/data/folder.ts';
import { awaitLeftovers, noteRuntime } from '../../../cli/data/leftovers.ts';
import { lockDataFolder } from '../../../cli/data/lock.ts';
import { ownSecrets, readAdminToken } from '../../../cli/data/secrets.ts';
import { PROJECT_ROOT } from '../../support/gateway-process.ts';
import { temporaryFolder } from './run-cli.ts';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('the data folder', () => {
  it('is for its owner alone', async () => {
    const folder = await openDataFolder(join(temporaryFolder(), 'new', 'data'));
    await ownSecrets(folder, {});
    expect([folder.path, folder.objects, folder.database, folder.run].map(modeOf)).toEqual([
      '700',
      '700',
      '700',
      '700',
    ]);
    expect([folder.adminToken, folder.masterKey].map(modeOf)).toEqual(['600', '600']);
  });

  it('says in one line when it cannot be made', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await expect(openDataFolder(join(file, 'data'))).rejects.toThrow(/^the data folder \S+ cannot be made: /);
  });
});

describe('the own secrets', () => {
  it('are made once and kept', async () => {
    const folder = await openDataFolder(temporaryFolder());
    const made = await ownSecrets(folder, {});
    expect(made.adminToken).toMatch(/^sp-admin-[\w-]{43}$/);
    expect(Buffer.from(made.masterKey, 'base64')).toHaveLength(32);
    expect(made.adminTokenIsNew).toBe(true);
    expect(await ownSecrets(folder, {})).toEqual({ ...made, adminTokenIsNew: false });
    expect(readFileSync(folder.adminToken, 'utf8')).toBe(`${made.adminToken}\n`);
  });

  it('come from the environment where they are set, and nothing is written', async () => {
    const folder = await openDataFolder(temporaryFolder());
    const masterKey = Buffer.alloc(32, 7).toString('base64');
    const environment = { SALLYPORT_ADMIN_TOKEN: 'from-the-environment', SALLYPORT_MASTER_KEY: masterKey };
    expect(await ownSecrets(folder, environment)).toEqual({
      adminToken: 'from-the-environment',
      masterKey,
      adminTokenIsNew: false,
    });
    expect(() => statSync(folder.adminToken)).toThrow('ENOENT');
    expect(() => statSync(folder.masterKey)).toThrow('ENOENT');
  });

  it('are refused when they cannot be used', async () => {
    const folder = await openDataFolder(temporaryFolder());
    await expect(ownSecrets(folder, { SALLYPORT_MASTER_KEY: 'c2hvcnQ=' })).rejects.toThrow(
      /SALLYPORT_MASTER_KEY must hold 32 bytes/,
    );
    await expect(readAdminToken(folder, { SALLYPORT_ADMIN_TOKEN: 'short' })).rejects.toThrow(/at least 8/);
    await expect(readAdminToken(folder, { SALLYPORT_ADMIN_TOKEN: 'two words here' })).rejects.toThrow(/without spaces/);
  });
});

const HOLDER = `
  import { lockDataFolder } from '${PROJECT_ROOT}/cli/data/lock.ts';
  import { dataFolder } from '${PROJECT_ROOT}/cli/data/folder.ts';
  lockDataFolder(dataFolder(process.argv[1]));
  for (let round = 0; round < 3; round++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  console.log('locked');
  setInterval(() => {}, 1000);
`;

describe('the lock', () => {
  it('keeps a second process off, and goes with a killed one', async () => {
    const folder = await openDataFolder(temporaryFolder());
    const holder = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', HOLDER, folder.path]);
    onTestFinished(() => void holder.kill('SIGKILL'));
    await once(holder.stdout, 'data');
    expect(() => lockDataFolder(folder)).toThrow(`the data folder ${folder.path} is in use by another sallyport`);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const lock = lockDataFolder(folder);
    lock.release();
    lockDataFolder(folder).release();
  });
});

describe('what an earlier start left running', () => {
  it('is waited for', async () => {
    const folder = await openDataFolder(temporaryFolder());
    const last = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 700)', folder.run]);
    noteRuntime(folder, last.pid ?? 0);
    await awaitLeftovers(folder);
    expect(last.exitCode).toBe(0);
  });

  it('does not hold up a start when the process id is now another program', async () => {
    const folder = await openDataFolder(temporaryFolder());
    noteRuntime(folder, process.pid);
    const started = performance.now();
    await awaitLeftovers(folder);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
