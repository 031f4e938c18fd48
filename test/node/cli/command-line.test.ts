import { createServer } from 'node:net';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDataFolder } from '../../../cli/data/folder.ts';
import { lockDataFolder } from '../../../cli/data/lock.ts';
import { PROJECT_ROOT } from '../../support/gateway-process.ts';
import { runCli, temporaryFolder } from './run-cli.ts';

const EXAMPLE_KEY = 'virtual_keys: [{ key_name: claude-code-eng, key: vk-cc-eng }]\n';

function fileWith(text: string): string {
  const file = join(temporaryFolder(), 'sallyport.yaml');
  writeFileSync(file, text);
  return file;
}

describe('a wrong command line', () => {
  it.each([
    [['strat'], 'unknown command "strat"; did you mean "start"?'],
    [['frobnicate'], 'unknown command "frobnicate"; see sallyport --help'],
    [['constructor'], 'unknown command "constructor"; see sallyport --help'],
    [['start', '--prot', '1'], 'unknown flag "--prot"; did you mean "--port"?'],
    [['check', '--port', '1'], 'unknown flag "--port"; see sallyport --help'],
    [['start', 'now'], '"now" is not expected here; see sallyport --help'],
    [['start', '--port', 'http'], '"http" is not a port: give a number from 0 to 65535'],
    [['start', '--port', '65536'], '"65536" is not a port: give a number from 0 to 65535'],
    [['apply', '--url', 'localhost:1'], 'the URL of the gateway must begin with http:// or https://'],
    [['keys', 'revok', 'x'], 'usage: sallyport keys create NAME | list | revoke NAME; did you mean "revoke"?'],
    [['import'], 'usage: sallyport import FILE'],
  ])('%j', async (args, complaint) => {
    expect(await runCli(args)).toEqual({ code: 2, stdout: '', stderr: `${complaint}\n` });
  });

  it('a flag without its value', async () => {
    const { code, stderr } = await runCli(['start', '--port']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^Option '--port <value>' argument missing\n$/);
  });

  it('none at all shows the usage', async () => {
    const { code, stdout } = await runCli([]);
    expect(code).toBe(2);
    expect(stdout).toMatch(/^usage: sallyport <command>/);
    expect((await runCli(['--help'])).code).toBe(0);
  });
});

describe('check', () => {
  it('says what is good, and its warnings', async () => {
    const file = fileWith('mcp: { code_mode: { sandbox: starlark } }\n');
    expect(await runCli(['check', '--config', file])).toEqual({
      code: 0,
      stdout: `warning: ${file}:1: mcp.code_mode.sandbox: sandbox: starlark means quickjs here\n${file} is good: 0 servers, 0 providers, 0 virtual keys\n`,
      stderr: '',
    });
  });

  it('prints every problem on its own line', async () => {
    const file = fileWith('teamz: []\nprovidres: []\n');
    expect(await runCli(['check', '--config', file])).toEqual({
      code: 2,
      stdout: '',
      stderr: `${file}:1: teamz: unknown field (did you mean teams?)\n${file}:2: providres: unknown field (did you mean providers?)\n`,
    });
  });

  it('names a file that is not there', async () => {
    const { code, stderr } = await runCli(['check', '--config', '/nowhere/sallyport.yaml']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: '/nowhere/sallyport.yaml: there is no such file; give --config the path of the configuration\n',
    });
  });

  it('takes the path from the environment, weaker than the flag', async () => {
    const good = fileWith('');
    const environment = { SALLYPORT_CONFIG: good };
    expect((await runCli(['check'], environment)).code).toBe(0);
    expect((await runCli(['check', '--config', fileWith('x: 1')], environment)).code).toBe(2);
  });
});

describe('start is refused', () => {
  it('on a bad configuration', async () => {
    const data = join(temporaryFolder(), 'data');
    const { code, stderr } = await runCli(['start', '--config', fileWith('x: 1\n'), '--data', data]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^\S+:1: x: unknown field \(known here: [^\n]+\)\n$/);
    expect(existsSync(data)).toBe(false);
  });

  it('on a port in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await once(taken, 'listening');
    const address = taken.address();
    const port = String(typeof address === 'object' ? address?.port : address);
    const { code, stderr } = await runCli([
      'start',
      '--config',
      fileWith(''),
      '--data',
      temporaryFolder(),
      '--port',
      port,
    ]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `cannot listen on 127.0.0.1:${port}: the port is in use; stop what uses it or give --port another\n`,
    });
  });

  it('on an address of another machine', async () => {
    const args = ['start', '--config', fileWith(''), '--data', temporaryFolder(), '--host', '192.0.2.1', '--port', '0'];
    const { code, stderr } = await runCli(args);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'cannot listen on 192.0.2.1:0: this machine has no such address; give --host another\n',
    });
  });

  it('on a data folder in use', async () => {
    const folder = await openDataFolder(temporaryFolder());
    const lock = lockDataFolder(folder);
    onTestFinished(() => lock.release());
    const { code, stderr } = await runCli(['start', '--config', fileWith(''), '--data', folder.path, '--port', '0']);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `the data folder ${folder.path} is in use by another sallyport: stop that one or give --data another folder\n`,
    );
  });

  it.each([
    [EXAMPLE_KEY, {}, 'the key of "claude-code-eng"'],
    ['', { SALLYPORT_ADMIN_TOKEN: 'test-admin-token' }, 'the admin token'],
    [EXAMPLE_KEY, { SALLYPORT_ADMIN_TOKEN: 'changeme' }, 'the admin token and the key of "claude-code-eng"'],
  ])('with example values on a network: %j %j', async (text, environment, what) => {
    const args = ['start', '--config', fileWith(text), '--data', temporaryFolder(), '--host', '0.0.0.0', '--port', '0'];
    const { code, stderr } = await runCli(args, environment);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `refused to listen on 0.0.0.0: ${what} is a value that stands in public examples; choose another or listen on 127.0.0.1\n`,
    );
  });
});

describe('import', () => {
  it('prints the servers of another client as YAML that loads', async () => {
    const folder = temporaryFolder();
    const file = join(folder, '.mcp.json');
    const mcpServers = {
      'My Files': { command: 'npx', args: ['-y', 'server-files', '/data'], env: { TOKEN: '${TOKEN:-none}' } },
      'my-files': { type: 'stdio', command: 'files' },
      remote: { type: 'http', url: 'https://a.test/mcp', headers: { Authorization: 'Bearer x' } },
      old: { type: 'sse', url: 'https://b.test/sse' },
    };
    writeFileSync(file, JSON.stringify({ mcpServers, other: 1 }));
    const { code, stdout, stderr } = await runCli(['import', file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const yaml = join(folder, 'sallyport.yaml');
    writeFileSync(yaml, stdout);
    expect((await runCli(['check', '--config', yaml])).stdout).toBe(
      `${yaml} is good: 4 servers, 0 providers, 0 virtual keys\n`,
    );
    expect(stdout).toContain('name: my-files\n');
    expect(stdout).toContain('name: my-files-2\n');
    expect(stdout).toContain('type: sse\n');
  });

  it('says what has to be looked at', async () => {
    const file = join(temporaryFolder(), 'mcp.json');
    writeFileSync(file, JSON.stringify({ mcpServers: { a: { url: 'ws://a.test' } } }));
    const { code, stderr } = await runCli(['import', file]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^to be looked at: \S+ YAML:5: mcp\.servers\[0\]\.url: must be an http:\/\//);
  });

  it.each(['{}', '[]', '{"mcpServers":{"a":{}}}'])('refuses %s', async (text) => {
    const file = join(temporaryFolder(), 'mcp.json');
    writeFileSync(file, text);
    const { code, stderr } = await runCli(['import', file]);
    expect(code).toBe(2);
    expect(stderr).toContain('not a file with "mcpServers"');
  });
});

describe('doctor', () => {
  it('says ok to everything a start needs', async () => {
    const { code, stdout } = await runCli(['doctor', '--port', '0'], {}, temporaryFolder());
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .every((line) => line.startsWith('ok   ')),
    ).toBe(true);
    expect(stdout).toMatch(/^ok {3}node v2[4-9]/);
    expect(stdout).toMatch(/^ok {3}workerd /m);
    expect(code).toBe(0);
  });

  it('says what to fix, every problem of it', async () => {
    const folder = await openDataFolder(temporaryFolder());
    const lock = lockDataFolder(folder);
    onTestFinished(() => lock.release());
    const { code, stdout } = await runCli([
      'doctor',
      '--port',
      '0',
      '--data',
      folder.path,
      '--config',
      fileWith('a: 1\nb: 2\n'),
    ]);
    expect(code).toBe(1);
    expect(stdout.match(/^fix .*/gm)).toHaveLength(3);
    expect(stdout).toMatch(/^fix {2}the data folder \S+ is in use/m);
    expect(stdout).toMatch(/^fix {2}\S+:2: b: unknown field/m);
  });
});

describe('the project', () => {
  it('starts from any folder', async () => {
    expect((await runCli(['check', '--config', join(PROJECT_ROOT, 'test/fixtures/article.yaml')], {}, '/')).code).toBe(
      2,
    );
  });
});
