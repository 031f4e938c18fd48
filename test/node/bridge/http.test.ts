import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BridgeProcess } from '../../support/bridge-process.ts';
import { CLIENT_PARAMS, RawSession } from '../../support/raw-session.ts';

let bridge: BridgeProcess;
beforeAll(async () => {
  bridge = await BridgeProcess.start();
  await bridge.defineScripted('scripted');
});
afterAll(() => bridge.stop());

const INITIALIZE = { id: 1, method: 'initialize', params: CLIENT_PARAMS };

test('starts with a secret only', async () => {
  const main = fileURLToPath(new URL('../../../bridge/main.ts', import.meta.url));
  const { SALLYPORT_BRIDGE_SECRET: _, ...env } = process.env;
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [text] = (await once(child.stderr, 'data')) as [Buffer];
  expect(text.toString()).toContain('SALLYPORT_BRIDGE_SECRET must be set');
  if (child.exitCode === null) await once(child, 'exit');
  expect(child.exitCode).toBe(2);
});

test.each(['', 'Bearer', 'Bearer wrong', 'test-bridge-secret', 'Basic test-bridge-secret'])(
  'authorization "%s" gets 401 on every path',
  async (authorization) => {
    for (const path of ['/healthz', '/servers', '/servers/scripted/mcp', '/nowhere']) {
      const response = await fetch(bridge.url + path, { headers: { authorization } });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ code: 'unauthorized' });
    }
  },
);

test.each([
  ['evil.example', 403],
  ['127.0.0.1.evil.example', 403],
  ['bridge.evil.example', 403],
  ['bridge', 200],
  ['localhost:1', 200],
  ['[::1]:80', 200],
])('Host %s gets %i', async (host, status) => {
  const sent = request(`${bridge.url}/healthz`, { headers: { ...bridge.headers(), host } }).end();
  const [response] = (await once(sent, 'response')) as [{ statusCode: number; resume(): void }];
  response.resume();
  expect(response.statusCode).toBe(status);
});

test('a server that is not defined, or otherwise, needs its definition', async () => {
  for (const [name, fingerprint] of [
    ['absent', 'f1'],
    ['scripted', 'f2'],
  ] as const) {
    const response = await bridge.post(name, INITIALIZE, { 'x-sallyport-fingerprint': fingerprint });
    expect(response.status).toBe(428);
    expect(await response.json()).toMatchObject({ code: 'definition_needed' });
  }
  const withoutHeader = await bridge.fetch('/servers/scripted/mcp', { method: 'POST', body: '{}' });
  expect(withoutHeader.status).toBe(428);
});

test('defining and repeating works; another fingerprint ends the processes and sessions of the old one', async () => {
  await bridge.defineScripted('moving');
  const before = await RawSession.open(bridge, 'moving');
  const pid = await before.value('pid');
  await bridge.defineScripted('moving');
  expect(await before.value('pid')).toBe(pid);

  await bridge.defineScripted('moving', { fingerprint: 'f2' });
  expect((await before.call('pid')).status).toBe(428);
  const gone = await bridge.post('moving', INITIALIZE, {
    'x-sallyport-fingerprint': 'f2',
    'mcp-session-id': before.id,
  });
  expect(gone.status).toBe(200);
  expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
});

test('removing a server stops it and forgets it', async () => {
  await bridge.defineScripted('leaving');
  const session = await RawSession.open(bridge, 'leaving');
  const pid = Number(await session.value('pid'));
  expect((await bridge.fetch('/servers/leaving', { method: 'DELETE' })).status).toBe(204);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  expect((await session.call('pid')).status).toBe(428);
  expect((await bridge.fetch('/servers/leaving', { method: 'DELETE' })).status).toBe(404);
});

test('a definition that is wrong is refused in words', async () => {
  for (const body of ['{', '[]', '{"fingerprint":"x","command":"node","isolation":"shared"}']) {
    const response = await bridge.fetch('/servers/wrong', { method: 'PUT', body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid_definition' });
  }
});

test.each([
  ['GET', '/nowhere', 404],
  ['GET', '/servers/..%2fx', 404],
  ['POST', '/servers', 404],
  ['GET', '/servers/scripted', 405],
  ['PATCH', '/servers/scripted/mcp', 405],
])('%s %s gets %i', async (method, path, status) => {
  const response = await bridge.fetch(path, { method, headers: bridge.headers() });
  expect(response.status).toBe(status);
});

test.each([
  ['no JSON', '{', 400],
  ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400],
  ['another version of JSON-RPC', '{"jsonrpc":"1.0","id":1,"method":"ping"}', 400],
  ['neither result nor error', '{"jsonrpc":"2.0","id":1}', 400],
  ['an id that is none', '{"jsonrpc":"2.0","id":{},"method":"ping"}', 400],
  ['a session that is unknown', '{"jsonrpc":"2.0","id":1,"method":"ping"}', 404],
])('a POST with %s is refused', async (_, body, status) => {
  const headers = { ...bridge.headers(), 'mcp-session-id': 'unknown' };
  const response = await bridge.fetch('/servers/scripted/mcp', { method: 'POST', body, headers });
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({
    jsonrpc: '2.0',
    id: null,
    error: { message: expect.any(String) as string },
  });
});

test('a legacy request without a session is told to initialize', async () => {
  const response = await bridge.post('scripted', { id: 1, method: 'tools/list' });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('send initialize first');
});

test('a body over the limit gets 413 and the bridge goes on', async () => {
  const response = await bridge.fetch('/servers/scripted/mcp', {
    method: 'POST',
    headers: bridge.headers(),
    body: Buffer.alloc(65 * 1024 * 1024, 0x20),
  });
  expect(response.status).toBe(413);
  await response.body?.cancel();
  expect((await bridge.fetch('/healthz')).status).toBe(200);
});
