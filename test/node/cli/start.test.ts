// One gateway from its first start on, and what happens to it while its file changes.
import { spawn } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  eventually,
  newGatewayFolder,
  PROJECT_ROOT,
  startGateway,
  survivors,
  type GatewayProcess,
} from '../../support/gateway-process.ts';
import { isRunning, processesMentioning } from '../../support/process-table.ts';
import { referenceServer } from '../../support/reference-servers.ts';
import { runCli } from './run-cli.ts';

const EVERYTHING = `    - { name: everything, type: stdio, command: ${JSON.stringify(referenceServer('server-everything'))} }\n`;
const KEY = 'virtual_keys:\n  - { key_name: first, key: vk-start-test-first }\n';
const CONFIG = `mcp:\n  servers:\n${EVERYTHING}${KEY}`;

describe('a running gateway', () => {
  let gateway: GatewayProcess;

  const fromHere = (): Record<string, string> => ({
    SALLYPORT_ADMIN_TOKEN: gateway.adminToken,
    SALLYPORT_URL: gateway.url,
  });

  beforeAll(async () => {
    gateway = await startGateway({ config: CONFIG });
  });
  afterAll(() => gateway?.discard());

  it('printed its table, its keys, the line to paste, and last that it is ready', () => {
    const output = gateway.output();
    expect(output).toMatch(/^server +type +state +tools +last error\neverything +stdio +healthy +\d+$/m);
    expect(output).toMatch(/^virtual keys: first$/m);
    const server = {
      type: 'http',
      url: `${gateway.url}/mcp`,
      headers: { Authorization: 'Bearer vk-start-test-first' },
    };
    expect(output).toContain(`claude mcp add-json sallyport '${JSON.stringify(server)}'`);
    expect(output).toContain(`\nsallyport ready ${gateway.url}\n`);
    // Given by its owner: not to be shown.
    expect(output).not.toContain(gateway.adminToken);
  });

  it('applies its file again when it changes, and stops the server that left it', async () => {
    const child = await eventually('the server process', 5_000, () =>
      gateway.processes().find(({ command }) => command.includes('server-everything')),
    );
    const replacement = `${gateway.configPath}.new`;
    writeFileSync(
      replacement,
      'virtual_keys:\n  - { key_name: first, key: vk-start-test-first }\n  - { key_name: second }\n',
    );
    renameSync(replacement, gateway.configPath);
    await eventually('the change', 10_000, () =>
      /sallyport\.yaml applied: (?=.*server everything deleted)(?=.*virtual key second created)/.test(gateway.output())
        ? true
        : undefined,
    );
    expect(gateway.output()).toMatch(/^key of second, shown this once: \S{20,}$/m);
    await eventually('the end of the server', 20_000, () => (isRunning(child) ? undefined : true));
  });

  it('goes on with what it had when the file is wrong, and says every problem', async () => {
    writeFileSync(gateway.configPath, 'teamz: []\nvirtual_keys:\n  - { key_name: first, team: none }\n');
    await eventually('the refusal', 10_000, () => (gateway.output().includes('not applied') ? true : undefined));
    expect(gateway.output()).toContain(`${gateway.configPath}:1: teamz: unknown field (did you mean teams?)\n`);
    expect(gateway.output()).toContain(`${gateway.configPath}:3: virtual_keys[0].team: no team is named "none"`);
    const { stdout } = await runCli(['keys', 'list'], fromHere());
    expect(stdout).toMatch(/^first .*\nsecond /m);
  });

  it('is the only one on its data folder', async () => {
    const { code, stderr } = await runCli(
      [
        'start',
        '--config',
        join(PROJECT_ROOT, 'test/fixtures/article.yaml'),
        '--data',
        gateway.dataFolder,
        '--port',
        '0',
      ],
      {
        GITHUB_TOKEN: 'x',
        LINEAR_MCP_URL: 'http://127.0.0.1:1',
        LINEAR_TOKEN: 'x',
      },
    );
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `the data folder ${gateway.dataFolder} is in use by another sallyport: stop that one or give --data another folder\n`,
    });
  });

  it('makes, lists and revokes virtual keys', async () => {
    const made = await runCli(['keys', 'create', 'third', '--expires-at', '2099-01-01T00:00:00Z'], fromHere());
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(/^key of third, shown this once: \S{20,}\n$/);
    expect((await runCli(['keys', 'list'], fromHere())).stdout).toMatch(/^third +2099-01-01T00:00:00Z +api$/m);
    expect(await runCli(['keys', 'revoke', 'third'], fromHere())).toMatchObject({
      code: 0,
      stdout: 'third is revoked\n',
    });
    expect((await runCli(['keys', 'list'], fromHere())).stdout).not.toContain('third');
    expect((await runCli(['keys', 'revoke', 'third'], fromHere())).code).toBe(1);
    const refused = await runCli(['keys', 'create', 'fourth', '--server', 'nowhere'], fromHere());
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/no server is named "nowhere"/);
  });

  it('takes a configuration from apply', async () => {
    const file = join(gateway.folder, 'other.yaml');
    writeFileSync(file, KEY);
    const applied = await runCli(['apply', '--config', file], fromHere());
    expect(applied).toEqual({
      code: 0,
      stdout: `${file} applied to ${gateway.url}: virtual key second deleted\n`,
      stderr: '',
    });
    const again = await runCli(['apply', '--config', file, '--url', gateway.url], {
      SALLYPORT_ADMIN_TOKEN: gateway.adminToken,
    });
    expect(again.stdout).toBe(`${file} applied to ${gateway.url}: no change\n`);
    expect(
      await runCli(['apply', '--config', file], { ...fromHere(), SALLYPORT_ADMIN_TOKEN: 'another-token' }),
    ).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^the gateway does not accept the admin token: /) as string,
    });
    const nobody = await runCli(['apply', '--config', file, '--url', 'http://127.0.0.1:1'], fromHere());
    expect(nobody.stderr).toMatch(/^no gateway answers at http:\/\/127\.0\.0\.1:1: is it running\?/);
  });

  it('comes back when its runtime is killed or stands still', async () => {
    for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
      const first = gateway.workerd();
      process.kill(first?.pid ?? 0, signal);
      await eventually(`another workerd after ${signal}`, 30_000, async () => {
        const now = gateway.workerd();
        if (now === undefined || now.pid === first?.pid) return undefined;
        return fetch(`${gateway.url}/healthz`).then(
          (response) => (response.ok ? true : undefined),
          () => undefined,
        );
      });
    }
    expect((await runCli(['keys', 'list'], fromHere())).stdout).toContain('first');
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with %s, leaving nothing', async (signal) => {
    const started = signal === 'SIGTERM' ? gateway : await startGateway({ config: CONFIG });
    const running = started.processes();
    expect(running.length).toBeGreaterThan(1);
    expect(await started.stop(signal)).toBe(0);
    expect(await survivors(running, 1_000)).toEqual([]);
    await started.discard();
  });
});

describe('a first start', () => {
  it('writes what it needs, shows the admin token once, and ends when asked to while it is starting', async () => {
    const folder = newGatewayFolder();
    const args = ['start', '--config', join(folder, 'sallyport.yaml'), '--data', join(folder, 'data'), '--port', '0'];
    const child = spawn(process.execPath, [join(PROJECT_ROOT, 'cli/main.ts'), ...args], {
      env: { PATH: process.env['PATH'], HOME: folder },
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.resume();
    const token = await eventually(
      'the admin token',
      20_000,
      () => /^admin token, shown this once .*: (sp-admin-\S+)$/m.exec(stdout)?.[1],
    );
    expect(readFileSync(join(folder, 'data', 'admin-token'), 'utf8')).toBe(`${token}\n`);
    expect(stdout).toMatch(/^wrote \S+sallyport\.yaml: /);
    await eventually('its first child', 20_000, () => (processesMentioning(folder).length > 1 ? true : undefined));
    child.kill('SIGTERM');
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
    expect(stdout).not.toContain('sallyport ready');
    await eventually('the end of them all', 3_000, () => (processesMentioning(folder).length === 0 ? true : undefined));
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('npm start', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('takes the gateway along when it ends with %s', async (signal) => {
    const folder = newGatewayFolder();
    writeFileSync(join(folder, 'sallyport.yaml'), KEY);
    const args = ['--config', join(folder, 'sallyport.yaml'), '--data', join(folder, 'data'), '--port', '0'];
    const npm = spawn('npm', ['start', '--', ...args], {
      cwd: PROJECT_ROOT,
      env: { PATH: process.env['PATH'], HOME: folder },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let stdout = '';
    npm.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    await eventually('the ready line', 30_000, () => (stdout.includes('\nsallyport ready ') ? true : undefined));
    const ended = new Promise((resolve) => npm.once('exit', resolve));
    npm.kill(signal);
    expect(await ended).toBe(signal === 'SIGTERM' ? 0 : null);
    await eventually('the end of them all', 10_000, () =>
      processesMentioning(folder).length === 0 ? true : undefined,
    );
    rmSync(folder, { recursive: true, force: true });
  });
});
