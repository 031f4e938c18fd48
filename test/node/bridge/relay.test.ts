// What becomes of ids, tokens, notifications and questions when several clients share one process.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BridgeProcess } from '../../support/bridge-process.ts';
import { CLIENT_PARAMS, RawSession, eventsOf, messagesOf } from '../../support/raw-session.ts';
import type { RawMessage } from '../../support/raw-session.ts';

let bridge: BridgeProcess;
beforeAll(async () => {
  bridge = await BridgeProcess.start();
});
afterAll(() => bridge.stop());

let count = 0;
/** Two sessions of a fresh scripted server. */
async function pair(isolation: 'shared' | 'session' = 'shared'): Promise<[RawSession, RawSession]> {
  count += 1;
  await bridge.defineScripted(`pair-${count}`, { isolation });
  return [await RawSession.open(bridge, `pair-${count}`), await RawSession.open(bridge, `pair-${count}`)];
}

interface Seen {
  readonly method: string;
  readonly params: Record<string, unknown>;
}
const seenBy = async (session: RawSession): Promise<Seen[]> => (await session.value('seen')) as Seen[];

async function next(events: AsyncGenerator<RawMessage>): Promise<RawMessage> {
  const { value, done } = await events.next();
  if (done === true) throw new Error('the stream ended');
  return value as RawMessage;
}

test('equal ids of several clients, as numbers and as strings, are told apart and given back as they were', async () => {
  const [one, two] = await pair();
  const calls = [one, two].flatMap((session, who) =>
    [1, '1', 'ä', 2 ** 40].map(async (id, n) => {
      const text = `${who}-${n}`;
      expect(await session.value('delay', { ms: 50 - n * 10, text }, id)).toBe(text);
    }),
  );
  await Promise.all(calls);
});

test('one process, one handshake: the second client shares its answer', async () => {
  const [one, two] = await pair();
  expect(await one.value('pid')).toBe(await two.value('pid'));
  const methods = (await seenBy(one)).map(({ method }) => method);
  expect(methods.filter((method) => method === 'initialize')).toHaveLength(1);
  expect(methods.filter((method) => method === 'notifications/initialized')).toHaveLength(1);
});

test('a client of another protocol version gets a process that speaks it', async () => {
  const [one] = await pair();
  const older = await RawSession.open(bridge, `pair-${count}`, { ...CLIENT_PARAMS, protocolVersion: '2025-06-18' });
  expect(await older.value('pid')).not.toBe(await one.value('pid'));
  expect((await seenBy(older))[0]).toMatchObject({ params: { protocolVersion: '2025-06-18' } });
});

test('equal progress tokens reach the request they were given with, under their own name', async () => {
  const [one, two] = await pair();
  const replies = await Promise.all(
    [one, two].map((session, n) => {
      const params = { name: 'progress', arguments: { text: `client ${n}` }, _meta: { progressToken: 'tok' } };
      return session.post({ id: 7, method: 'tools/call', params });
    }),
  );
  for (const [n, reply] of replies.entries()) {
    expect(reply.headers.get('content-type')).toBe('text/event-stream');
    const messages = await messagesOf(reply);
    expect(messages.slice(0, 2).map((message) => message.params)).toEqual([
      { progressToken: 'tok', progress: 1, message: `client ${n}` },
      { progressToken: 'tok', progress: 2, message: `client ${n}` },
    ]);
    expect(messages[2]).toMatchObject({ id: 7, result: { content: [{ text: JSON.stringify(`client ${n}`) }] } });
  }
});

test('a quick answer is JSON, a slow one a stream, and a client that takes no stream gets JSON in any case', async () => {
  const [one] = await pair();
  expect((await one.call('pid')).headers.get('content-type')).toBe('application/json');
  expect((await one.call('delay', { ms: 1200, text: '' })).headers.get('content-type')).toBe('text/event-stream');
  const params = { name: 'delay', arguments: { ms: 1200, text: 'late' } };
  const plain = await one.post({ id: 1, method: 'tools/call', params }, { accept: 'application/json' });
  expect(plain.headers.get('content-type')).toBe('application/json');
  expect(await messagesOf(plain)).toMatchObject([{ id: 1 }]);
});

test('a stream without news is kept alive', async () => {
  const [one] = await pair();
  const reply = await one.call('delay', { ms: 5500, text: 'done' });
  expect(await reply.text()).toMatch(/^: keep-alive\n\nevent: message\ndata: .*done/s);
});

test('a log message goes to the client that it can only be about, and to nobody where that cannot be told', async () => {
  const [one, two] = await pair();
  const stop = new AbortController();
  const streams = await Promise.all([one, two].map(async (session) => eventsOf(await session.listen(stop.signal))));
  const alone = await messagesOf(await one.call('log', { text: 'alone' }));
  expect(alone[0]).toMatchObject({ method: 'notifications/message', params: { data: 'alone' } });

  const other = two.value('delay', { ms: 300, text: '' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await messagesOf(await one.call('log', { text: 'many' }))).toHaveLength(1);
  await other;
  const [first, second] = streams as [AsyncGenerator<RawMessage>, AsyncGenerator<RawMessage>];
  const more = one.value('delay', { ms: 300, text: '' });
  await messagesOf(await one.call('log', { text: 'mine' }));
  expect(await next(first)).toMatchObject({ params: { data: 'mine' } });
  await more;
  await one.call('changed');
  expect(await next(second)).toMatchObject({ method: 'notifications/tools/list_changed' });
  stop.abort();
});

test('a process that serves many is told that it can ask, and refused where its client did not say so', async () => {
  count += 1;
  await bridge.defineScripted(`pair-${count}`);
  const silent = await RawSession.open(bridge, `pair-${count}`, { ...CLIENT_PARAMS, capabilities: {} });
  const [handshake] = await seenBy(silent);
  expect(handshake).toMatchObject({
    method: 'initialize',
    params: { capabilities: { elicitation: {}, sampling: {} }, clientInfo: { name: 'sallyport' } },
  });
  expect(handshake?.params).not.toHaveProperty('capabilities.roots');
  expect(await silent.value('ask')).toMatchObject({ error: { code: -32601 } });
  const able = await RawSession.open(bridge, `pair-${count}`);
  const events = eventsOf(await able.call('ask'));
  const { id, method } = await next(events);
  expect(method).toBe('elicitation/create');
  await able.post({ id, result: { action: 'accept', content: { name: 'Ada' } } });
  expect(JSON.stringify(await next(events))).toContain('Ada');
});

test('a changed list is told to every session: on its own stream, or else on a call of its under way', async () => {
  const [one, two] = await pair();
  const stop = new AbortController();
  const stream = eventsOf(await one.listen(stop.signal));
  const pending = two.call('delay', { ms: 300, text: 'x' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await messagesOf(await one.call('changed'))).toHaveLength(1);
  expect(await next(stream)).toMatchObject({ method: 'notifications/tools/list_changed' });
  expect((await messagesOf(await pending)).map(({ method }) => method)).toEqual([
    'notifications/tools/list_changed',
    undefined,
  ]);
  stop.abort();
});

test('an updated resource is told to its subscribers; the last one to leave ends the subscription', async () => {
  const [one, two] = await pair();
  const stop = new AbortController();
  const streams = await Promise.all([one, two].map(async (session) => eventsOf(await session.listen(stop.signal))));
  const [first, second] = streams as [AsyncGenerator<RawMessage>, AsyncGenerator<RawMessage>];
  for (const [session, uri] of [
    [one, 'x:a'],
    [two, 'x:a'],
    [two, 'x:b'],
  ] as const) {
    await session.post({ id: 1, method: 'resources/subscribe', params: { uri } });
  }
  await one.value('updated', { uri: 'x:b' });
  await one.value('updated', { uri: 'x:a' });
  expect(await next(second)).toMatchObject({ params: { uri: 'x:b' } });
  expect(await next(second)).toMatchObject({ params: { uri: 'x:a' } });
  expect(await next(first)).toMatchObject({ params: { uri: 'x:a' } });

  const unsubscribed = await one.post({ id: 2, method: 'resources/unsubscribe', params: { uri: 'x:a' } });
  expect(await messagesOf(unsubscribed)).toEqual([{ jsonrpc: '2.0', id: 2, result: {} }]);
  const told = async (): Promise<unknown[]> =>
    (await seenBy(one)).filter(({ method }) => method === 'resources/unsubscribe').map(({ params }) => params['uri']);
  expect(await told()).toEqual([]);
  expect((await two.close()).status).toBe(204);
  expect(await told()).toEqual(['x:a', 'x:b']);
  stop.abort();
});

test('a question of the server goes out on the call under way and its answer comes back', async () => {
  const [one, two] = await pair();
  const events = eventsOf(await one.call('ask', {}, 'call'));
  const question = await next(events);
  expect(question).toMatchObject({ method: 'elicitation/create', params: { message: 'your name?' } });
  const answer = { id: question.id, result: { action: 'accept', content: { name: 'Ada' } } };
  // Another session knows the id, and is not heard.
  expect((await two.post(answer)).status).toBe(202);
  expect((await one.post({ ...answer, result: { action: 'decline' } })).status).toBe(202);
  const last = await next(events);
  expect(last.id).toBe('call');
  expect(JSON.stringify(last.result)).toContain('decline');
});

test('a question is refused when it cannot be told whose client is meant, and the refusal says what to do', async () => {
  const [one, two] = await pair();
  const other = two.value('delay', { ms: 300, text: '' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const refused = (await one.value('ask')) as RawMessage;
  expect(refused.error).toMatchObject({
    code: -32603,
    message: expect.stringContaining('isolation: session') as string,
  });
  await other;

  const [own, alone] = await pair('session');
  const busy = alone.value('delay', { ms: 300, text: '' });
  expect(await next(eventsOf(await own.call('ask')))).toMatchObject({ method: 'elicitation/create' });
  await busy;
});

test('a question whose client left is answered for it, and one that nobody hears too', async () => {
  const [one, two] = await pair();
  const abort = new AbortController();
  const asking = await one.call('ask', {}, 1, abort.signal);
  await next(eventsOf(asking));
  abort.abort();
  await expect.poll(async () => (await seenBy(two)).map(({ method }) => method)).toContain('notifications/cancelled');

  const params = { name: 'ask', arguments: {} };
  const plain = await two.post({ id: 1, method: 'tools/call', params }, { accept: 'application/json' });
  expect(JSON.stringify(await messagesOf(plain))).toContain('the client accepts no stream');
});

test("the server's ping is answered by the bridge", async () => {
  const [one] = await pair();
  expect(await one.value('ping')).toMatchObject({ result: {} });
});

test("a cancellation names the server's id for the request and ends its response", async () => {
  const [one, two] = await pair();
  const [mine, others] = [one.call('hang', {}, 5), two.call('delay', { ms: 400, text: 'mine' }, 5)];
  await new Promise((resolve) => setTimeout(resolve, 100));
  await one.post({ method: 'notifications/cancelled', params: { requestId: 5, reason: 'enough' } });
  expect(await (await mine).text()).toBe('');
  expect(await messagesOf(await others)).toMatchObject([{ id: 5, result: { content: [{ text: '"mine"' }] } }]);
  const cancelled = (await seenBy(one)).filter(({ method }) => method === 'notifications/cancelled');
  // The first request of its process was the handshake: 1 and 2 are taken, in whatever order the two calls came.
  expect(cancelled).toEqual([
    { method: 'notifications/cancelled', params: { requestId: expect.any(Number) as number, reason: 'enough' } },
  ]);
  expect([2, 3]).toContain(cancelled[0]?.params['requestId']);
});

test('a client that hangs up cancels its request, once', async () => {
  const [one, two] = await pair();
  const abort = new AbortController();
  const call = one.call('hang', {}, 1, abort.signal);
  setTimeout(() => abort.abort(), 100);
  await expect(call).rejects.toThrow();
  const cancelled = async (): Promise<Seen[]> =>
    (await seenBy(two)).filter(({ method }) => method === 'notifications/cancelled');
  await expect.poll(cancelled).toHaveLength(1);
  expect((await cancelled())[0]?.params['requestId']).toBe(2);
});

test('members and methods that no one here knows pass through whole', async () => {
  const [one] = await pair();
  const params = { deep: [{ ü: null }], _meta: { 'x.y/z': [1], progressToken: 'p' }, n: 1e21 };
  const reply = await one.post({ id: 3, method: 'vendor/unknown', params, extra: true });
  expect(await messagesOf(reply)).toEqual([{ jsonrpc: '2.0', id: 3, result: {} }]);
  const arrived = (await seenBy(one)).find(({ method }) => method === 'vendor/unknown');
  expect(arrived?.params).toEqual({ ...params, _meta: { 'x.y/z': [1], progressToken: expect.any(Number) as number } });
});

test('tool calls without arguments reach the server without arguments', async () => {
  const [one] = await pair();
  await one.post({ id: 1, method: 'tools/call', params: { name: 'pid' } });
  const call = (await seenBy(one)).find(({ method }) => method === 'tools/call');
  expect(call?.params).toEqual({ name: 'pid' });
});
