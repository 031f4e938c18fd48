// The admin API as the worker itself composes it: the real recorder, ledger and health objects behind it.
import { env, exports } from 'cloudflare:workers';
import { expect, it, vi } from 'vitest';
import { MASTER_KEY } from './admin-app.ts';

const headers = { authorization: 'Bearer test-admin-token', 'content-type': 'application/json' };

function send(method: string, path: string, body?: unknown): Promise<Response> {
  return exports.default.fetch(`http://sallyport${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

it('serves a configuration from an empty database to a recorded change', async () => {
  expect(env.SALLYPORT_MASTER_KEY).toBe(MASTER_KEY);
  expect((await exports.default.fetch('http://sallyport/readyz')).status).toBe(200);
  const applied = await send('PUT', '/api/config', {
    mcp: { servers: [{ name: 'nobody-there', type: 'http', url: 'http://127.0.0.1:9/mcp' }] },
    virtual_keys: [
      { key_name: 'agent', key: 'vk-of-an-agent', mcp_clients: [{ name: 'nobody-there', allowed_tools: ['*'] }] },
    ],
  });
  expect(applied.status, await applied.clone().text()).toBe(200);
  expect(await (await send('GET', '/api/servers')).json()).toMatchObject({ items: [{ name: 'nobody-there' }] });

  const models = await exports.default.fetch('http://sallyport/v1/models', {
    headers: { 'x-api-key': 'vk-of-an-agent' },
  });
  expect(models.status).toBe(200);
  await vi.waitFor(
    async () => {
      const health = await (await send('GET', '/api/servers/nobody-there/health')).json();
      expect(health).toMatchObject({ state: 'failing', last_error: { stage: 'connect' } });
      const events = await (
        await send('GET', '/api/audit-events?kind=config.changed')
      ).json<{ items: { subject: string }[] }>();
      expect(events.items.map(({ subject }) => subject)).toContain('virtual_key/agent created');
    },
    { timeout: 15_000, interval: 200 },
  );
}, 30_000);
