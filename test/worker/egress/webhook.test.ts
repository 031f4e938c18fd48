import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import '../../support/provided-context.ts';
import type { ReceivedPost } from '../../support/webhook-receiver.ts';
import { WEBHOOK_SECRET } from '../../support/webhook-secret.ts';
import type { WebhookSettings } from '../../../src/config/settings-document.ts';
import { createWebhook, type WebhookReceipt } from '../../../src/egress/webhook.ts';
import type { Env } from '../../../src/env.ts';

const MESSAGE = { type: 'limit.threshold', id: 'alr_1', timestamp: '2026-11-22T12:30:00.000Z', name: 'é' };

afterEach(() => {
  vi.restoreAllMocks();
});

function post(path: string, more: Partial<WebhookSettings> = {}, env: Pick<Env, 'OPERATOR_NETWORK'> = {}) {
  const url = `${inject('webhookUrl')}${path}`;
  const settings = async () => ({ url, secret: WEBHOOK_SECRET, allow_private: true, ...more });
  return createWebhook(env, { settings, now: Date.now })(MESSAGE);
}

async function received(path: string): Promise<ReceivedPost[]> {
  return (await fetch(`${inject('webhookUrl')}/received?path=${path}`)).json();
}

describe('a post', () => {
  it('is signed so that the reference library accepts it', async () => {
    expect(await post('/ok/signed')).toEqual({ outcome: 'delivered' });
    expect(await received('/ok/signed')).toEqual([
      { path: '/ok/signed', id: 'alr_1', contentType: 'application/json', verified: true, message: MESSAGE },
    ]);
  });

  it.each([
    ['without its prefix', WEBHOOK_SECRET.slice('whsec_'.length), true],
    ['of somebody else', 'whsec_c29tZWJvZHktZWxzZXMtc2VjcmV0LW9mLTMyLWJ5dGU=', false],
  ])('with a secret %s', async (what, secret, verified) => {
    await post(`/ok/${encodeURIComponent(what)}`, { secret });
    expect(await received(`/ok/${encodeURIComponent(encodeURIComponent(what))}`)).toMatchObject([{ verified }]);
  });

  it('is not made with a secret that is not base64', async () => {
    expect(await post('/ok/unsigned', { secret: 'not base64!' })).toMatchObject({ outcome: 'failed' });
    expect(await received('/ok/unsigned')).toEqual([]);
  });

  it('is not made where no webhook is configured', async () => {
    const unconfigured = createWebhook({}, { settings: async () => undefined, now: Date.now });
    expect(await unconfigured(MESSAGE)).toEqual({ outcome: 'not_configured' });
  });

  it.each<[path: string, WebhookReceipt]>([
    ['/endless-body', { outcome: 'delivered' }],
    ['/error', { outcome: 'failed', reason: 'answered 500' }],
    ['/busy', { outcome: 'failed', reason: 'answered 429', retryAfterMs: 120_000 }],
    ['/gone', { outcome: 'gone' }],
    ['/close', { outcome: 'failed', reason: 'refused the connection or closed it before its answer was complete' }],
  ])('to %s', async (path, receipt) => {
    expect(await post(path)).toEqual(receipt);
  });

  it('does not go where a redirect leads, and does not tell where that is', async () => {
    expect(await post('/redirect')).toEqual({
      outcome: 'failed',
      reason: 'answered 307, a redirect, which is not followed',
    });
    expect(await received('/stolen')).toEqual([]);
  });

  it('gives up on a webhook that hangs', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout');
    timeout.mockImplementation(() => {
      const late = new AbortController();
      void scheduler.wait(50).then(() => late.abort(new DOMException('too late', 'TimeoutError')));
      return late.signal;
    });
    expect(await post('/hang')).toEqual({ outcome: 'failed', reason: 'did not answer in time' });
    expect(timeout).toHaveBeenCalledExactlyOnceWith(10_000);
  });

  it('reaches private addresses only where that is allowed', async () => {
    const network = { fetch: vi.fn<typeof fetch>(async () => new Response(null, { status: 204 })) };
    const env = { OPERATOR_NETWORK: network as unknown as Fetcher };
    await post('/ok/public', { allow_private: false }, env);
    expect(network.fetch).not.toHaveBeenCalled();
    await post('/ok/private', { allow_private: true }, env);
    expect(network.fetch).toHaveBeenCalledOnce();
    expect(await received('/ok/private')).toEqual([]);
  });
});
