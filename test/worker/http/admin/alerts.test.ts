// Trying the webhook, as the worker itself composes it.
import { exports } from 'cloudflare:workers';
import { describe, expect, inject, it } from 'vitest';
import '../../../support/provided-context.ts';
import type { ReceivedPost } from '../../../support/webhook-receiver.ts';
import { WEBHOOK_SECRET } from '../../../support/webhook-secret.ts';
import { expireSnapshot } from '../../../../src/stores/d1/policy-store.ts';

const headers = { authorization: 'Bearer test-admin-token', 'content-type': 'application/json' };

async function configure(alerts?: object): Promise<Response> {
  const body = JSON.stringify(alerts === undefined ? {} : { alerts });
  const response = await exports.default.fetch('http://gateway/api/config', { method: 'PUT', headers, body });
  expireSnapshot();
  return response;
}

function tryWebhook(more: RequestInit = {}): Promise<Response> {
  return exports.default.fetch('http://gateway/api/alerts/test', { method: 'POST', headers, ...more });
}

describe('POST /api/alerts/test', () => {
  it('posts a signed message that says that it is a test', async () => {
    const url = `${inject('webhookUrl')}/ok/tried`;
    expect((await configure({ webhook: { url, secret: WEBHOOK_SECRET, allow_private: true } })).status).toBe(200);
    const answer = await tryWebhook();
    expect([answer.status, await answer.clone().json()]).toEqual([200, { id: expect.any(String), delivered: true }]);
    const { id } = await answer.json<{ id: string }>();
    const received = await (await fetch(`${inject('webhookUrl')}/received?path=/ok/tried`)).json<ReceivedPost[]>();
    expect(received).toMatchObject([{ id, verified: true, message: { type: 'alert.test', id } }]);
  });

  it.each([
    ['gone', 'The webhook answered 410: whoever is there wants no alerts.'],
    ['redirect', 'The webhook answered 307, a redirect, which is not followed.'],
  ])('says what went wrong: %s', async (behavior, detail) => {
    const url = `${inject('webhookUrl')}/${behavior}/tried`;
    await configure({ webhook: { url, secret: WEBHOOK_SECRET, allow_private: true } });
    const answer = await tryWebhook();
    expect([answer.status, await answer.json()]).toEqual([502, expect.objectContaining({ detail })]);
  });

  it('says that there is none', async () => {
    await configure();
    const answer = await tryWebhook();
    expect([answer.status, await answer.json()]).toEqual([
      409,
      expect.objectContaining({ detail: 'No webhook is configured. Set alerts.webhook in the configuration.' }),
    ]);
  });

  it('is for the operator, and posts', async () => {
    expect((await tryWebhook({ headers: {} })).status).toBe(401);
    expect((await tryWebhook({ method: 'GET' })).status).toBe(405);
  });

  it('is not configured with a secret that signs nothing', async () => {
    const answer = await configure({ webhook: { url: 'https://hooks.example', secret: 'no base64, but long' } });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({
        problems: [
          {
            path: 'alerts.webhook.secret',
            message: 'must be base64, with or without "whsec_" before it',
            fix: 'make one with: openssl rand -base64 32',
          },
        ],
      }),
    ]);
  });
});
