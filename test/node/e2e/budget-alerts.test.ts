// Alerts of a gateway as its users run it: what is spent is told of once per share, whatever happens to the gateway.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callModel } from '../../support/billed-caller.ts';
import { startBillingProvider, type BillingProvider } from '../../support/billing-provider.ts';
import { budgetDocument, cents, keyOf, type LimitedKey, type Limits } from '../../support/budget-config.ts';
import type { Fixture } from '../../support/fixture-http.ts';
import { eventually, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { startWebhookReceiver, type ReceivedPost } from '../../support/webhook-receiver.ts';
import { WEBHOOK_SECRET } from '../../support/webhook-secret.ts';

const ALERT_AT = [0.8, 0.95];

function alerted(count: number, calendar = false): Limits {
  return {
    budgets: [{ ...cents(count).budgets?.[0], limit_usd: count / 100, period: '1d', calendar, alert_at: ALERT_AT }],
  };
}

describe('alerts', () => {
  let provider: BillingProvider;
  let receiver: Fixture;
  let gateway: GatewayProcess;
  const keys: readonly LimitedKey[] = [
    { name: 'told', virtual_key: alerted(20), team: alerted(40, true) },
    { name: 'killed', virtual_key: alerted(5) },
    { name: 'hidden', virtual_key: alerted(5) },
  ];
  const document = (path: string, allowPrivate = true): object => {
    const webhook = { url: `${receiver.url}${path}`, secret: WEBHOOK_SECRET, allow_private: allowPrivate };
    return { ...budgetDocument(provider, keys), alerts: { webhook } };
  };
  const received = async (path: string): Promise<ReceivedPost[]> =>
    (await (await fetch(`${receiver.url}/received?path=${path}`)).json()) as ReceivedPost[];
  const receives = (path: string, count: number): Promise<ReceivedPost[]> =>
    eventually(`${count} posts to ${path}`, 40_000, async () => {
      const posts = await received(path);
      return posts.length >= count ? posts : undefined;
    });
  const events = (name: string, count: number): Promise<readonly Record<string, unknown>[]> =>
    eventually(`${count} events about ${name}`, 20_000, async () => {
      const page = (await gateway.admin('/api/audit-events?kind=limit.threshold')) as {
        items: Record<string, unknown>[];
      };
      const items = page.items.filter(({ subject }) => String(subject).includes(`/${name} `));
      return items.length >= count ? items : undefined;
    });
  const call = async (name: string, times: number): Promise<void> => {
    for (let made = 0; made < times; made++) {
      expect((await callModel({ url: gateway.url, key: keyOf(name) })).status).toBe(200);
    }
  };
  const configure = (path: string, allowPrivate?: boolean): Promise<unknown> =>
    gateway.admin('/api/config', { method: 'PUT', body: document(path, allowPrivate) });

  beforeAll(async () => {
    [provider, receiver] = await Promise.all([startBillingProvider(), startWebhookReceiver()]);
    gateway = await startGateway({ config: JSON.stringify(document('/ok/told')) });
  });
  afterAll(async () => {
    await gateway?.discard();
    await Promise.all([provider?.stop(), receiver?.stop()]);
  });

  it('are posted once for each share that is reached, signed', async () => {
    await call('told', 15);
    expect(await received('/ok/told')).toEqual([]);
    // Calls that are settled together reach both shares at once.
    await call('told', 1);
    await receives('/ok/told', 1);
    await call('told', 3);
    const posts = await receives('/ok/told', 2);
    await call('told', 1);
    expect(posts).toMatchObject([
      {
        verified: true,
        message: { type: 'limit.threshold', tier: 'virtual_key', name: 'told', share: 0.8, spent: 0.16, limit: 0.2 },
      },
      { verified: true, message: { share: 0.95, spent: 0.19, spent_share: 0.95, unit: 'usd', period: '1d' } },
    ]);
    expect((await callModel({ url: gateway.url, key: keyOf('told') })).status).toBe(402);
    expect(await events('told', 2)).toMatchObject([
      { outcome: 'ok', key_name: 'told', subject: 'virtual_key/told reached 0.95 of cost per 1d' },
      { outcome: 'ok', key_name: 'told', subject: 'virtual_key/told reached 0.8 of cost per 1d' },
    ]);
    expect(await received('/ok/told')).toHaveLength(2);
    expect(gateway.output()).toContain('limit.threshold');
    expect(gateway.output()).not.toContain(WEBHOOK_SECRET);
  });

  it('survive a gateway that dies while the webhook has them', async () => {
    await configure('/hangs-once/killed');
    await call('killed', 4);
    const [lost] = await receives('/hangs-once/killed', 1);
    const victim = await eventually('a workerd to kill', 30_000, () => gateway.workerd());
    process.kill(victim.pid, 'SIGKILL');
    // Without any request: the alarm alone brings it back.
    const [, again] = await receives('/hangs-once/killed', 2);
    expect(again).toMatchObject({ verified: true, id: lost?.id, message: lost?.message });
    expect(await events('killed', 1)).toMatchObject([{ outcome: 'ok', attempt: 2 }]);
  }, 120_000);

  it('do not reach a private address unless the operator says so', async () => {
    await configure('/ok/hidden', false);
    await expect(gateway.admin('/api/alerts/test', { method: 'POST' })).rejects.toThrow(
      /502.*its address is not allowed/s,
    );
    await call('hidden', 4);
    await eventually('an attempt that failed', 20_000, () => {
      const failed = gateway.output().includes('alert.not_delivered');
      return failed ? true : undefined;
    });
    expect(await received('/ok/hidden')).toEqual([]);
    await configure('/ok/hidden');
    expect(await receives('/ok/hidden', 1)).toMatchObject([{ verified: true, message: { name: 'hidden' } }]);
    await expect(gateway.admin('/api/alerts/test', { method: 'POST' })).resolves.toMatchObject({ delivered: true });
  }, 120_000);
});
