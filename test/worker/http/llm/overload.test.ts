// `limits.concurrent_requests`: how many calls run at once, and from when to when one does.
import { describe, expect, inject, it } from 'vitest';
import { startRig, type Rig } from './rig.ts';

const base_url = `${inject('providerFakeUrl')}/v1`;
const MOST = 2;

function rigOf(): Rig {
  const keys = [{ value: 'sk', weight: 1, models: ['*'] }];
  return startRig({
    providers: ['openai', 'anthropic'].map((name) => ({ name, base_url, keys })),
    concurrentRequests: MOST,
  });
}

function ask(rig: Rig, model: string, path = '/v1/chat/completions'): Promise<Response> {
  const provider = path === '/v1/messages' ? 'anthropic' : 'openai';
  return rig.fetch(path, { method: 'POST', body: JSON.stringify({ model: `${provider}/${model}`, stream: true }) });
}

/** Every place is free: as many streams as may run do, and end. */
async function expectRoom(rig: Rig): Promise<void> {
  const streams: Response[] = [];
  for (let place = 0; place < MOST; place++) streams.push(await ask(rig, 'endless-room'));
  expect(streams.map(({ status }) => status)).toEqual(Array(MOST).fill(200));
  expect((await ask(rig, 'gpt-4o')).status).toBe(503);
  for (const { body } of streams) await body?.cancel();
  await scheduler.wait(20);
}

async function full(rig: Rig): Promise<() => Promise<void>> {
  const streams = [await ask(rig, 'endless-a'), await ask(rig, 'endless-b')];
  return async () => {
    for (const { body } of streams) await body?.cancel();
    await scheduler.wait(20);
  };
}

describe('a gateway with as many requests as it may have', () => {
  it.each([
    ['/v1/chat/completions', { error: { code: 'overloaded', type: 'server_error' } }],
    ['/v1/messages', { type: 'error', error: { type: 'overloaded_error', code: 'overloaded' } }],
  ])('refuses another at %s, saying when to come again', async (path, body) => {
    const rig = rigOf();
    const empty = await full(rig);
    const refused = await ask(rig, 'gpt-4o', path);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    const answer = await refused.json();
    expect(answer).toMatchObject(body);
    expect(JSON.stringify(answer)).toContain('limits.concurrent_requests');
    await empty();
    await expectRoom(rig);
  });

  it('still says 401 to whoever has no key', async () => {
    const rig = rigOf();
    const empty = await full(rig);
    const stranger = await rig.fetch('/v1/models', { headers: { authorization: 'Bearer nobody' } });
    expect(stranger.status).toBe(401);
    await empty();
  });
});

describe('a place is given back', () => {
  it.each([
    ['when a stream was read', async (rig: Rig) => void (await (await ask(rig, 'gpt-4o')).text())],
    ['when a stream was left', async (rig: Rig) => void (await (await ask(rig, 'endless')).body?.cancel())],
    ['when a stream broke', async (rig: Rig) => void (await (await ask(rig, 'break')).text().catch(() => undefined))],
    ['when an answer came whole', async (rig: Rig) => void (await (await ask(rig, 'slow')).text())],
    ['when a request was refused', async (rig: Rig) => void (await ask(rig, ''))],
  ])('%s', async (_case, use) => {
    const rig = rigOf();
    for (let time = 0; time <= MOST; time++) await use(rig);
    await scheduler.wait(20);
    await expectRoom(rig);
  });
});
