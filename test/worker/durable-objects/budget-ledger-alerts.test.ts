// Alerts end to end within the worker: charges of a real ledger, its alarm, the sender, a receiver on loopback.
import { env, exports } from 'cloudflare:workers';
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeAll, describe, expect, inject, it, vi } from 'vitest';
import '../../support/provided-context.ts';
import type { ReceivedPost } from '../../support/webhook-receiver.ts';
import { WEBHOOK_SECRET } from '../../support/webhook-secret.ts';
import type { LeaseTrim } from '../../../src/budget/lease.ts';
import type { Limit } from '../../../src/budget/limits.ts';
import { toNanoUsd } from '../../../src/budget/money.ts';
import { expireSnapshot } from '../../../src/stores/d1/policy-store.ts';
import { migrate } from '../../../src/stores/d1/migrate.ts';
import { alarmIn, failingDatabase, ledger, makeEvent, storedIds, useDatabase } from './ledger-rig.ts';

const CENT = 10_000_000;
const headers = { authorization: 'Bearer test-admin-token', 'content-type': 'application/json' };

beforeAll(() => migrate(env.DB));

async function configureWebhook(behavior: string, name: string): Promise<void> {
  const webhook = { url: `${inject('webhookUrl')}/${behavior}/${name}`, secret: WEBHOOK_SECRET, allow_private: true };
  const body = JSON.stringify({ alerts: { webhook } });
  const answer = await exports.default.fetch('http://gateway/api/config', { method: 'PUT', headers, body });
  expect(answer.status, await answer.text()).toBe(200);
  expireSnapshot();
}

/** What came to `/<behavior>/<name>` about the team of that name: the webhook is one for all that waits. */
async function received(behavior: string, name: string): Promise<ReceivedPost[]> {
  const answer = await fetch(`${inject('webhookUrl')}/received?path=/${behavior}/${name}`);
  return (await answer.json<ReceivedPost[]>()).filter(({ message }) => message['name'] === name);
}

/** The first of this file loads the worker once more, which takes seconds on a busy machine. */
const SOON = { timeout: 25_000, interval: 100 };

function receives(behavior: string, name: string, count: number): Promise<ReceivedPost[]> {
  return vi.waitFor(async () => {
    const posts = await received(behavior, name);
    expect(posts).toHaveLength(count);
    return posts;
  }, SOON);
}

/** A dollar a day, with alerts. */
function limitOf(name: string): Limit {
  const window = { period: '1d', calendar: false };
  return { id: `c-${name}`, tier: 'team', name, metric: 'cost', amount: 100 * CENT, window, alertAt: [0.8, 0.95] };
}

/** Calls of one holder that cost so many cents, each on a lease of its own. */
async function spendCents(name: string, ...cents: number[]): Promise<void> {
  let trims: LeaseTrim[] = [];
  for (const [index, cent] of cents.entries()) {
    const lease = `${name}-${index}`;
    const need = { cost: toNanoUsd(cent * CENT), tokens: 0, requests: 1 };
    const answer = await ledger(name).acquire({
      lease,
      holder: `holder-${name}`,
      sequence: index,
      plan: `plan-${name}`,
      limits: [limitOf(name)],
      need,
      trims,
      slots: {},
    });
    expect(answer.ok).toBe(true);
    trims = [{ lease, drawn: need }];
    const at = Date.now();
    const charge = { lease, draw: 1, at, release: need, actual: need };
    await ledger(name).record([{ event: makeEvent({ at, team: name, cost_nano_usd: cent * CENT }), charge }]);
  }
}

interface StoredAlertEvent {
  readonly outcome: string;
  readonly subject: string;
}

function alertEvents(team: string, count: number): Promise<StoredAlertEvent[]> {
  return vi.waitFor(async () => {
    const { results } = await env.DB.prepare(
      "SELECT outcome, reason, attempt, subject FROM audit_events WHERE kind = 'limit.threshold' AND team = ? ORDER BY seq",
    )
      .bind(team)
      .all<StoredAlertEvent & Record<string, unknown>>();
    expect(results).toHaveLength(count);
    return results;
  }, SOON);
}

function waitingAlerts(name: string): Promise<unknown[]> {
  return runInDurableObject(ledger(name), (_object, state) =>
    state.storage.sql.exec('SELECT attempts FROM alerts_waiting').toArray(),
  );
}

describe('a budget with alerts', () => {
  it('posts each share once, in order, without anybody waiting for it', async () => {
    await configureWebhook('ok', 'shares');
    await spendCents('shares', 50, 29, 1, 14, 1, 5);
    expect(await receives('ok', 'shares', 2)).toMatchObject([
      {
        verified: true,
        message: { type: 'limit.threshold', name: 'shares', limit: 1, unit: 'usd', share: 0.8, spent: 0.8 },
      },
      { verified: true, message: { share: 0.95, spent: 0.95, period: '1d', calendar: false } },
    ]);
    expect(await alertEvents('shares', 2)).toEqual([
      { outcome: 'ok', reason: null, attempt: 1, subject: 'team/shares reached 0.8 of cost per 1d' },
      { outcome: 'ok', reason: null, attempt: 1, subject: 'team/shares reached 0.95 of cost per 1d' },
    ]);
    expect(await received('ok', 'shares')).toHaveLength(2);
  }, 60_000);

  it('tries again what failed, under the same id', async () => {
    await configureWebhook('fails-once', 'again');
    await spendCents('again', 80);
    const [first, second] = await receives('fails-once', 'again', 2);
    expect(second).toMatchObject({ verified: true, id: first?.id, message: first?.message });
    expect(await alertEvents('again', 1)).toMatchObject([{ outcome: 'ok', attempt: 2 }]);
  }, 60_000);

  it('goes on with its events while a webhook hangs', async () => {
    await configureWebhook('hang', 'hung');
    await spendCents('hung', 80);
    await receives('hang', 'hung', 1);
    const event = makeEvent({ at: Date.now() });
    await ledger('hung').record([{ event }]);
    await vi.waitFor(async () => expect(await storedIds([event.id])).toEqual([event.id]), { timeout: 5_000 });
    expect(await waitingAlerts('hung')).toEqual([{ attempts: 1 }]);
    expect(await received('hang', 'hung')).toHaveLength(1);
    // Looked after, should the object end meanwhile.
    expect(await alarmIn('hung')).toBeLessThanOrEqual(20_000);
  }, 60_000);

  it('delivers while the database for events is away, and after an end what was not delivered before', async () => {
    await configureWebhook('error', 'kept');
    await useDatabase('kept', failingDatabase('before'));
    await spendCents('kept', 80);
    const [refused] = await receives('error', 'kept', 1);
    await configureWebhook('ok', 'kept');
    await evictDurableObject(ledger('kept'));
    const [delivered] = await receives('ok', 'kept', 1);
    expect(delivered?.id).toBe(refused?.id);
    await vi.waitFor(async () => expect(await waitingAlerts('kept')).toEqual([]), SOON);
  }, 60_000);
});
