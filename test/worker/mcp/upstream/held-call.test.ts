// A client of 2026-07-28 at a legacy server: what the server asks in the midst of a call becomes a result that asks.
import { describe, expect, it, vi } from 'vitest';
import { at, isObject, type JsonObject, textAt } from '../../../../src/lib/json-value.ts';
import type { Face, LinkRequest } from '../../../../src/mcp/links.ts';
import { catalog, collect, done, request, ScriptedServer, Stream, UPSTREAM } from './session-rig.ts';
import type { Sent } from './session-rig.ts';
import { rig } from './rig.ts';

const FACE: Face = { info: { name: 'client', version: '1' }, capabilities: { elicitation: { form: {} }, roots: {} } };
const FORM = { message: 'Name?', mode: 'form', requestedSchema: { type: 'object' } };
const ACCEPTED = { action: 'accept', content: { name: 'Ann' } };

interface Call {
  readonly stream: Stream;
  readonly sent: Sent;
}

function held(holdMs?: number) {
  const calls: Call[] = [];
  const server = new ScriptedServer((sent) => {
    if (sent.body.method !== 'tools/call') return undefined;
    const call = { stream: new Stream(), sent };
    calls.push(call);
    return call.stream.response;
  });
  const { links, idle, sessions } = rig(catalog(), server, holdMs === undefined ? {} : { holdMs });
  const ask = async (owner: string, more: Partial<LinkRequest> = {}): Promise<JsonObject> => {
    const outcome = await links(owner, FACE).request(UPSTREAM, request(more));
    return outcome.ok ? outcome.value : { failed: outcome.error };
  };
  const next = (): Promise<Call> => vi.waitFor(() => calls.at(-1) ?? expect.fail('no call yet'));
  const answerTo = (id: unknown): Promise<Sent> =>
    vi.waitFor(() => server.sent.find(({ body }) => body.id === id && body.method === undefined) ?? expect.fail());
  return { server, calls, links, idle, sessions, ask, next, answerTo };
}

function keysOf(result: JsonObject): string[] {
  const { inputRequests } = result;
  return isObject(inputRequests) ? Object.keys(inputRequests) : [];
}

function retry(result: JsonObject, answers: readonly unknown[]): Partial<LinkRequest> {
  const inputResponses = Object.fromEntries(keysOf(result).map((key, index) => [key, answers[index]]));
  return { params: { name: 'work', inputResponses, requestState: textAt(result, 'requestState') } };
}

it('is asked, answered, and has its result', async () => {
  const { ask, next, answerTo } = held();
  const first = ask('alice');
  const { stream, sent } = await next();
  stream.send({ id: 0, method: 'elicitation/create', params: FORM });
  const asked = await first;
  expect(asked).toEqual({
    resultType: 'input_required',
    inputRequests: { [keysOf(asked)[0] ?? '']: { method: 'elicitation/create', params: FORM } },
    requestState: expect.any(String),
  });
  const second = ask('alice', retry(asked, [ACCEPTED]));
  expect((await answerTo(0)).body.result).toEqual(ACCEPTED);
  stream.send(done(sent.body.id)).end();
  expect(await second).toEqual({ resultType: 'complete', content: [{ type: 'text', text: 'done' }] });
});

it('sends the call once, without what only the newer revision knows', async () => {
  const { ask, next, calls } = held();
  const first = ask('alice', { params: { name: 'work', inputResponses: { stale: {} }, arguments: { a: 1 } } });
  const { stream, sent } = await next();
  expect(sent.body.params).toEqual({ name: 'work', arguments: { a: 1 } });
  stream.send({ id: 0, method: 'roots/list' });
  const second = ask('alice', retry(await first, [{ roots: [] }]));
  stream.send(done(sent.body.id)).end();
  await second;
  expect(calls).toHaveLength(1);
});

it('asks several things at once, and again what was not answered', async () => {
  const { ask, next, answerTo } = held();
  const first = ask('alice');
  const { stream, sent } = await next();
  stream.send({ id: 'a', method: 'roots/list' }).send({ id: 'b', method: 'elicitation/create', params: FORM });
  const asked = await first;
  expect(keysOf(asked)).toHaveLength(2);
  const again = await ask('alice', retry(asked, [{ roots: [] }]));
  expect((await answerTo('a')).body.result).toEqual({ roots: [] });
  expect(keysOf(again)).toEqual([keysOf(asked)[1]]);
  expect(again['requestState']).not.toBe(asked['requestState']);
  const last = ask('alice', retry(again, [ACCEPTED]));
  await answerTo('b');
  stream.send(done(sent.body.id)).end();
  expect(await last).toMatchObject({ resultType: 'complete' });
});

it('tells what was said before it waited to the first request, and what came later to the second', async () => {
  const { ask, next, answerTo } = held();
  const [before, after] = [collect(), collect()];
  const first = ask('alice', { ...before, wantsProgress: true, logLevel: 'info' });
  const { stream, sent } = await next();
  const progress = (value: number): object => ({
    method: 'notifications/progress',
    params: { progressToken: at(sent.body.params, '_meta', 'progressToken'), progress: value },
  });
  stream.send(progress(1)).send({ id: 0, method: 'roots/list' });
  const asked = await first;
  stream.send(progress(2));
  await scheduler.wait(20);
  const second = ask('alice', { ...retry(asked, [{ roots: [] }]), ...after, wantsProgress: true, logLevel: 'info' });
  await answerTo(0);
  stream.send(progress(3)).send({ method: 'notifications/message', params: { level: 'info', data: 'x' } });
  stream.send(done(sent.body.id)).end();
  await second;
  const told = ({ heard }: typeof before) => heard.map(({ params }) => params?.['progress'] ?? params?.['data']);
  expect([told(before), told(after)]).toEqual([[1], [2, 3, 'x']]);
});

describe('a handle', () => {
  it('is worth nothing the second time, nor to another, nor forged', async () => {
    const { ask, next, server } = held();
    const first = ask('alice');
    const { stream, sent } = await next();
    stream.send({ id: 0, method: 'roots/list' });
    const asked = await first;
    const gone = {
      failed: { message: expect.stringMatching(/again from the beginning/), answered: { code: -32602 } },
    };
    expect(await ask('mallory', retry(asked, [{ roots: ['theirs'] }]))).toMatchObject(gone);
    expect(await ask('alice', { params: { name: 'work', requestState: 'forged' } })).toMatchObject(gone);
    expect(await ask('alice', { ...retry(asked, [{ roots: [] }]), method: 'prompts/get' })).toMatchObject(gone);
    const second = ask('alice', retry(asked, [{ roots: [] }]));
    const replayed = await ask('alice', retry(asked, [{ roots: ['again'] }]));
    expect(replayed).toMatchObject(gone);
    stream.send(done(sent.body.id)).end();
    expect(await second).toMatchObject({ resultType: 'complete' });
    const answers = server.sent.filter(({ body }) => body.id === 0).map(({ body }) => body.result);
    expect(answers).toEqual([{ roots: [] }]);
  });

  it('that nobody comes back with ends the call at the server', async () => {
    const { ask, next, server, idle } = held(50);
    const first = ask('alice');
    const { stream, sent } = await next();
    stream.send({ id: 0, method: 'roots/list' });
    const asked = await first;
    await idle();
    await vi.waitFor(() => expect(server.of('notifications/cancelled')).toHaveLength(1));
    expect(server.of('notifications/cancelled')[0]?.body.params).toMatchObject({ requestId: sent.body.id });
    expect(await ask('alice', retry(asked, [{ roots: [] }]))).toMatchObject({ failed: { answered: { code: -32602 } } });
  });

  it('keeps what the server answered meanwhile', async () => {
    const { ask, next } = held();
    const first = ask('alice');
    const { stream, sent } = await next();
    stream.send({ id: 0, method: 'roots/list' });
    const asked = await first;
    stream.send({ method: 'notifications/cancelled', params: { requestId: 0 } });
    stream.send(done(sent.body.id, 'without them')).end();
    expect(await ask('alice', retry(asked, [{ roots: [] }]))).toMatchObject({ content: [{ text: 'without them' }] });
  });

  it('is one of so many: the oldest call is given up for one too many', async () => {
    const { ask, calls, server } = held();
    const asked: JsonObject[] = [];
    for (let count = 0; count < 34; count++) {
      const waiting = ask('alice');
      const { stream } = await vi.waitFor(() => calls[count] ?? expect.fail());
      stream.send({ id: `q${count}`, method: 'roots/list' });
      asked.push(await waiting);
    }
    await vi.waitFor(() => expect(server.of('notifications/cancelled')).toHaveLength(2));
    const [oldest = {}] = asked;
    expect(await ask('alice', retry(oldest, [{ roots: [] }]))).toMatchObject({
      failed: { answered: { code: -32602 } },
    });
  });
});

it('is cancelled at the server when its client goes away, before and after it waited', async () => {
  const { ask, next, calls, server, answerTo, idle } = held();
  const early = new AbortController();
  const gone = ask('alice', { signal: early.signal });
  await next();
  early.abort();
  expect(await gone).toMatchObject({ failed: { code: 'upstream_timeout' } });
  const late = new AbortController();
  const first = ask('alice');
  const { stream, sent } = await vi.waitFor(() => calls[1] ?? expect.fail());
  stream.send({ id: 0, method: 'roots/list' });
  const second = ask('alice', { ...retry(await first, [{ roots: [] }]), signal: late.signal });
  await answerTo(0);
  late.abort();
  await second;
  await idle();
  expect(server.of('notifications/cancelled')).toHaveLength(2);
  expect(sent.signal.aborted).toBe(true);
});

it('is not asked what it did not say it can answer', async () => {
  const { ask, next, answerTo } = held();
  const first = ask('alice');
  const { stream, sent } = await next();
  stream.send({ id: 0, method: 'sampling/createMessage', params: {} });
  expect((await answerTo(0)).body.error).toMatchObject({ code: -32601 });
  stream.send({ id: 1, method: 'tasks/get', params: {} });
  expect((await answerTo(1)).body.error).toMatchObject({ code: -32601 });
  stream.send(done(sent.body.id)).end();
  expect(await first).toMatchObject({ resultType: 'complete' });
});

it('hears no log messages unless it names a level', async () => {
  const { ask, next } = held();
  const told = collect();
  const first = ask('alice', told);
  const { stream, sent } = await next();
  stream.send({ method: 'notifications/message', params: { level: 'error', data: 'x' } });
  stream.send(done(sent.body.id)).end();
  await first;
  expect(told.heard).toEqual([]);
});

describe('sessions', () => {
  it('are one per principal and what its client can be asked', async () => {
    const { links, server } = held();
    server.capabilities = {};
    const other: Face = { capabilities: { sampling: {} } };
    const list = request({ method: 'prompts/get', params: { name: 'p' } });
    for (const [owner, face] of [
      ['alice', FACE],
      ['alice', FACE],
      ['alice', other],
      ['bob', FACE],
    ] as const) {
      await links(owner, face).request(UPSTREAM, list);
    }
    expect(server.of('prompts/get').map(({ headers }) => headers.get('mcp-session-id'))).toEqual([
      's-1',
      's-1',
      's-2',
      's-3',
    ]);
  });

  it('are one for all where the configuration says so, and name nobody', async () => {
    const { links, server } = held();
    const upstream = { ...UPSTREAM, sessions: 'shared' as const };
    const list = request({ method: 'prompts/get', params: { name: 'p' } });
    for (const owner of ['alice', 'bob']) await links(owner, FACE).request(upstream, list);
    expect(server.of('initialize').map(({ body }) => body.params)).toMatchObject([
      { clientInfo: { name: 'sallyport' }, capabilities: {} },
    ]);
    expect(new Set(server.of('prompts/get').map(({ headers }) => headers.get('mcp-session-id')))).toEqual(
      new Set(['s-1']),
    );
  });
});

it('reads a legacy error by the newer code', async () => {
  const server = new ScriptedServer(({ body }) =>
    body.method === 'resources/read'
      ? Response.json({
          jsonrpc: '2.0',
          id: body.id,
          error: { code: -32002, message: 'Resource not found', data: { uri: 'a:b' } },
        })
      : undefined,
  );
  const { links } = rig(catalog(), server);
  const outcome = await links('alice').request(UPSTREAM, request({ method: 'resources/read', params: { uri: 'a:b' } }));
  expect(outcome).toMatchObject({
    ok: false,
    error: { message: 'Resource not found', answered: { code: -32602, data: { uri: 'a:b' } } },
  });
});
