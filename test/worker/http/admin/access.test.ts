import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { expireSnapshot } from '../../../../src/stores/d1/policy-store.ts';
import { ADMIN_TOKEN, freshGateway, testGateway, type TestGateway } from './admin-app.ts';

interface Problem {
  code: string;
  detail: string;
}

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await freshGateway();
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('the admin API', () => {
  it('is closed until a token is set, and says how to set it', async () => {
    for (const SALLYPORT_ADMIN_TOKEN of [undefined, '']) {
      const closed = testGateway({ SALLYPORT_ADMIN_TOKEN } as Partial<typeof env>);
      const response = await closed.fetch('/api/servers', { headers: bearer('') });
      expect(response.status).toBe(503);
      expect((await response.json<Problem>()).detail).toContain('Set it in the environment');
    }
  });

  it.each<[string, Record<string, string>]>([
    ['no token', {}],
    ['another token', bearer('wrong')],
    ['a token with something after it', bearer(`${ADMIN_TOKEN}x`)],
    ['the beginning of it', bearer(ADMIN_TOKEN.slice(0, -1))],
    ['another scheme', { authorization: `Basic ${ADMIN_TOKEN}` }],
    ['another header', { 'x-api-key': ADMIN_TOKEN }],
    ['a virtual key', bearer('vk-of-an-agent')],
  ])('refuses %s', async (_case, headers) => {
    await gateway.admin('POST', '/api/virtual-keys', { key_name: 'agent', key: 'vk-of-an-agent' });
    for (const path of ['/api/servers', '/api/openapi.json', '/api/nothing']) {
      const response = await gateway.fetch(path, { headers });
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      expect(await response.json<Problem>()).toMatchObject({ code: 'invalid_key' });
    }
    expect(gateway.recorded.at(-1)).toMatchObject({
      payer: 'unauthenticated',
      durable: false,
      event: { kind: 'auth.denied', outcome: 'denied', reason: 'not_admin', status: 401 },
    });
  });

  it('refuses its token in the URL, also beside a good header', async () => {
    const response = await gateway.fetch(`/api/servers?q=${ADMIN_TOKEN}`, { headers: bearer(ADMIN_TOKEN) });
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain(ADMIN_TOKEN);
  });

  it.each([undefined, 'not base64 of 32 bytes'])(
    'says what is wrong with the master key %j',
    async (SALLYPORT_MASTER_KEY) => {
      const keyless = testGateway({ SALLYPORT_MASTER_KEY } as Partial<typeof env>);
      for (const response of [
        await keyless.admin('GET', '/api/servers'),
        await keyless.admin('PUT', '/api/config', {}),
        await keyless.fetch('/guarded', { headers: bearer('vk-any') }),
      ]) {
        expect(response.status).toBe(503);
        const body = await response.text();
        expect(body).toContain('configuration_unavailable');
        expect(body).toContain('SALLYPORT_MASTER_KEY');
      }
    },
  );
});

it('names a damaged object to the operator, and to nobody else', async () => {
  await gateway.admin('POST', '/api/servers', { name: 'inner-server', type: 'http', url: 'http://10.0.0.1/mcp' });
  await env.DB.prepare(
    `UPDATE config_objects SET document = replace(document, 'v1.', 'v1.AAAA') WHERE kind = 'server'`,
  ).run();
  expireSnapshot();
  await env.DB.prepare('UPDATE config_revision SET revision = revision + 1').run();
  const forAgent = await gateway.fetch('/guarded', { headers: bearer('vk-any') });
  expect(forAgent.status).toBe(503);
  expect(await forAgent.text()).not.toContain('inner-server');
  const forOperator = await gateway.admin('GET', '/api/servers/inner-server');
  expect(forOperator.status).toBe(503);
  expect((await forOperator.json<Problem>()).detail).toContain('server/inner-server/url does not open');
  expect((await gateway.admin('DELETE', '/api/servers/inner-server')).status).toBe(204);
  expect((await gateway.fetch('/guarded', { headers: bearer('vk-any') })).status).toBe(401);
});

describe('an agent', () => {
  beforeEach(async () => {
    await gateway.admin('PUT', '/api/config', {
      teams: [{ name: 'eng' }],
      virtual_keys: [
        { key_name: 'agent', key: 'vk-of-an-agent', team: 'eng' },
        { key_name: 'late', key: 'vk-expired', expires_at: '2020-01-01T00:00:00Z', team: 'eng' },
      ],
    });
    gateway.recorded.length = 0;
  });

  it('is known by its key', async () => {
    const response = await gateway.fetch('/guarded', { headers: bearer('vk-of-an-agent') });
    expect(await response.json()).toMatchObject({ keyName: 'agent', team: 'eng', payer: 'team:eng' });
    expect(gateway.recorded).toEqual([]);
  });

  it('is refused in its dialect, with a challenge, and recorded', async () => {
    const missing = await gateway.fetch('/guarded', { headers: { 'user-agent': 'sdk/1' } });
    expect([missing.status, missing.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await missing.json()).toMatchObject({ error: { code: 'invalid_key', type: 'authentication_error' } });
    const wrong = await gateway.fetch('/mcp', { method: 'POST', headers: bearer('vk-wrong') });
    expect([wrong.status, wrong.headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"']);
    expect(await wrong.json()).toMatchObject({ jsonrpc: '2.0', error: { data: { code: 'invalid_key' } } });
    await gateway.fetch('/guarded', { headers: bearer('vk-expired') });
    await gateway.fetch('/guarded?key=vk-of-an-agent');

    const requestId = missing.headers.get('x-sallyport-request-id');
    expect(gateway.recorded.map(({ event }) => event.reason)).toEqual([
      'missing_key',
      'unknown_key',
      'key_expired',
      'key_in_query',
    ]);
    expect(gateway.recorded[0]).toMatchObject({
      payer: 'unauthenticated',
      durable: false,
      event: { kind: 'auth.denied', client: 'sdk/1', status: 401, request_id: requestId },
    });
    expect(gateway.recorded[2]?.event).toMatchObject({ key_name: 'late', team: 'eng' });
    expect(gateway.recorded[3]?.event).toMatchObject({ status: 400 });
    expect(JSON.stringify(gateway.recorded)).not.toMatch(/vk-(wrong|expired|of-an)/);
  });

  it('is not let in, nor told why not, while denials cannot be recorded', async () => {
    gateway.auditDown = true;
    const response = await gateway.fetch('/guarded', { headers: bearer('vk-wrong') });
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('audit_unavailable');
  });
});
