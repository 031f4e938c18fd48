// A legacy client at a legacy server: what the server pushes, asks and forgets.
import { describe, expect, it, vi } from 'vitest';
import { at } from '../../../../src/lib/json-value.ts';
import type { Ask } from '../../../../src/mcp/links.ts';
import type { RpcAnswer } from '../../../../src/mcp/protocol/message.ts';
import { catalog, collect, done, request, ScriptedServer, sessionRig, Stream, UPSTREAM } from './session-rig.ts';
import type { Sent } from './session-rig.ts';

const SUCCESS = { ok: true, value: { content: [{ type: 'text', text: 'done' }] } };
const ASKED = { method: 'elicitation/create', params: { message: 'Name?', requestedSchema: {} } };

/** Answers each call of a tool with a stream that the test writes. */
function streaming(): { readonly server: ScriptedServer; readonly calls: { stream: Stream; sent: Sent }[] } {
  const calls: { stream: Stream; sent: Sent }[] = [];
  const server = new ScriptedServer((sent) => {
    if (sent.body.method !== 'tools/call') return undefined;
    const stream = new Stream();
    calls.push({ stream, sent });
    return stream.response;
  });
  return { server, calls };
}

async function nth<T>(list: readonly T[], index = 0): Promise<T> {
  return vi.waitFor(() => list[index] ?? expect.fail('nothing yet'));
}

const answering =
  (answer: RpcAnswer, asked: unknown[] = []): Ask =>
  async (question) => {
    asked.push(question);
    return answer;
  };

function thinking(ms: number, answer: RpcAnswer): Ask {
  return async () => {
    await scheduler.wait(ms);
    return answer;
  };
}

const untilWithdrawn: Ask = (_question, withdrawn) =>
  new Promise((resolve) => {
    withdrawn.addEventListener('abort', () => resolve({ error: { code: -32000, message: 'gone' } }));
  });

describe('the handshake', () => {
  it('shows the client as it is, and is shared by requests that come at once', async () => {
    const server = new ScriptedServer();
    const { links, held } = sessionRig(server);
    await Promise.all([links.request(UPSTREAM, request()), links.request(UPSTREAM, request())]);
    expect(server.of('initialize').map(({ body }) => body.params)).toEqual([
      {
        protocolVersion: '2025-11-25',
        clientInfo: { name: 'client', version: '1' },
        capabilities: { elicitation: { form: {}, url: {} }, sampling: {}, roots: { listChanged: true } },
      },
    ]);
    expect(server.of('notifications/initialized')).toHaveLength(1);
    expect(held.get('one')).toMatchObject({ sessionId: 's-1', protocolVersion: '2025-11-25' });
  });

  it('is not needed where a session was kept', async () => {
    const server = new ScriptedServer();
    server.sessions.add('s-9');
    const held = new Map([['one', { sessionId: 's-9', protocolVersion: '2025-06-18', capabilities: {} }]]);
    const { links } = sessionRig(server, { held });
    expect(await links.request(UPSTREAM, request())).toMatchObject({ ok: true });
    expect(server.of('initialize')).toEqual([]);
    expect(server.of('tools/call')[0]?.headers.get('mcp-protocol-version')).toBe('2025-06-18');
  });

  it('with a version that nobody knows fails, and says so', async () => {
    const server = new ScriptedServer(({ body }) =>
      body.method === 'initialize'
        ? Response.json({ jsonrpc: '2.0', id: body.id, result: { protocolVersion: '1999-01-01', capabilities: {} } })
        : undefined,
    );
    const outcome = await sessionRig(server).links.request(UPSTREAM, request());
    expect(outcome).toMatchObject({
      ok: false,
      error: { stage: 'initialize', message: expect.stringMatching(/1999/) },
    });
  });
});

describe('a question of the server', () => {
  it.each([
    ['elicitation/create', { message: 'Name?', mode: 'form', requestedSchema: { type: 'object' } }],
    ['elicitation/create', { message: 'Sign in', mode: 'url', url: 'https://a.test', elicitationId: 'e1' }],
    ['sampling/createMessage', { messages: [], maxTokens: 1 }],
    ['roots/list', undefined],
  ])('on the stream of a call is asked of its client and answered: %s', async (method, params) => {
    const { server, calls } = streaming();
    const asked: unknown[] = [];
    const { links, idle } = sessionRig(server);
    const ask = answering({ result: { action: 'accept', content: { name: 'Ann' } } }, asked);
    const outcome = links.request(UPSTREAM, request({ ask }));
    const { stream, sent } = await nth(calls);
    stream.send({ id: 0, method, ...(params && { params }) });
    await vi.waitFor(() => expect(server.sent.some(({ body }) => body.id === 0)).toBe(true));
    stream.send(done(sent.body.id)).end();
    expect(await outcome).toEqual(SUCCESS);
    await idle();
    expect(asked).toEqual([{ method, ...(params && { params }) }]);
    const answer = server.sent.find(({ body }) => body.id === 0);
    expect(answer?.body).toEqual({ jsonrpc: '2.0', id: 0, result: { action: 'accept', content: { name: 'Ann' } } });
    expect(answer?.headers.get('mcp-session-id')).toBe('s-1');
  });

  it('on the stream of the session belongs to the call that runs', async () => {
    const { server, calls } = streaming();
    const { links } = sessionRig(server);
    const outcome = links.request(UPSTREAM, request({ ask: answering({ result: { roots: [] } }) }));
    const { stream, sent } = await nth(calls);
    server.push.send({ id: 'q', method: 'roots/list' });
    const answer = await vi.waitFor(() => server.sent.find(({ body }) => body.id === 'q') ?? expect.fail());
    expect(answer.body.result).toEqual({ roots: [] });
    stream.send(done(sent.body.id)).end();
    expect(await outcome).toEqual(SUCCESS);
  });

  it('that comes before the stream of the session is open would be lost, so it is opened first', async () => {
    const server = new ScriptedServer();
    const { links } = sessionRig(server);
    await links.request(UPSTREAM, request({ ask: answering({ result: {} }) }));
    const order = server.sent.map(({ method, body }) => body.method ?? method);
    expect(order).toEqual(['initialize', 'notifications/initialized', 'GET', 'tools/call']);
  });

  it('outside of any request is asked of who listens, and refused where nobody does', async () => {
    const server = new ScriptedServer();
    const { links } = sessionRig(server, { catalog: catalog({ capabilities: { tools: { listChanged: true } } }) });
    const asked: unknown[] = [];
    const { onNotification } = collect();
    const listener = links.listen(UPSTREAM, {
      uris: [],
      onNotification,
      ask: answering({ result: { roots: [] } }, asked),
    });
    await vi.waitFor(() => expect(server.sent.some(({ method }) => method === 'GET')).toBe(true));
    server.push.send({ id: 1, method: 'roots/list' });
    await vi.waitFor(() => expect(asked).toEqual([{ method: 'roots/list' }]));
    listener.close();
  });

  it('with an id that another has on another stream is told apart', async () => {
    const { server, calls } = streaming();
    const { links } = sessionRig(server);
    const first = links.request(UPSTREAM, request({ ask: answering({ result: { of: 'first' } }) }));
    const second = links.request(UPSTREAM, request({ ask: answering({ result: { of: 'second' } }) }));
    const [a, b] = [await nth(calls, 0), await nth(calls, 1)];
    a.stream.send({ id: 5, method: 'roots/list' });
    b.stream.send({ id: 5, method: 'roots/list' });
    await vi.waitFor(() => {
      const answers = server.sent.filter(({ body }) => body.id === 5).map(({ body }) => body.result);
      expect(answers).toEqual(expect.arrayContaining([{ of: 'first' }, { of: 'second' }]));
    });
    a.stream.send(done(a.sent.body.id)).end();
    b.stream.send(done(b.sent.body.id)).end();
    expect([await first, await second]).toEqual([SUCCESS, SUCCESS]);
  });

  it('is taken back by the server', async () => {
    const { server, calls } = streaming();
    const { links, idle } = sessionRig(server);
    const withdrawn = Promise.withResolvers<void>();
    const ask: Ask = async (_question, signal) => {
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve());
      });
      withdrawn.resolve();
      return { result: { too: 'late' } };
    };
    const outcome = links.request(UPSTREAM, request({ ask }));
    const { stream, sent } = await nth(calls);
    stream.send({ id: 3, ...ASKED });
    stream.send({ method: 'notifications/cancelled', params: { requestId: 3 } });
    await withdrawn.promise;
    stream.send(done(sent.body.id)).end();
    expect(await outcome).toEqual(SUCCESS);
    await idle();
    expect(server.sent.filter(({ body }) => body.id === 3)).toEqual([]);
  });

  it('that the client did not declare is refused, and so is one of too many', async () => {
    const { server, calls } = streaming();
    const { links } = sessionRig(server, { face: { capabilities: { roots: {} } } });
    const controller = new AbortController();
    const outcome = links.request(UPSTREAM, request({ ask: () => new Promise(() => {}), signal: controller.signal }));
    const { stream } = await nth(calls);
    stream.send({ id: 'e', ...ASKED });
    for (let id = 0; id < 70; id++) stream.send({ id, method: 'roots/list' });
    await vi.waitFor(() => {
      const refused = server.sent.filter(({ body }) => body.error !== undefined);
      expect(refused.map(({ body }) => body.id)).toEqual(['e', 64, 65, 66, 67, 68, 69]);
    });
    controller.abort();
    await outcome;
  });

  it('stops the clock of its call while somebody thinks', async () => {
    const { server, calls } = streaming();
    const { links } = sessionRig(server);
    const ask = thinking(600, { result: { action: 'decline' } });
    const outcome = links.request({ ...UPSTREAM, timeout: 300 }, request({ ask }));
    const { stream, sent } = await nth(calls);
    stream.send({ id: 1, ...ASKED });
    await vi.waitFor(() => expect(server.sent.some(({ body }) => body.id === 1)).toBe(true));
    stream.send(done(sent.body.id)).end();
    expect(await outcome).toEqual(SUCCESS);
  });

  it('is left alone when its call is cancelled, and the server is told of both', async () => {
    const { server, calls } = streaming();
    const { links, idle } = sessionRig(server);
    const controller = new AbortController();
    const outcome = links.request(UPSTREAM, request({ ask: untilWithdrawn, signal: controller.signal }));
    const { stream, sent } = await nth(calls);
    stream.send({ id: 1, ...ASKED });
    await scheduler.wait(20);
    controller.abort('changed my mind');
    expect(await outcome).toMatchObject({ ok: false });
    await idle();
    expect(server.of('notifications/cancelled')[0]?.body.params).toEqual({
      requestId: sent.body.id,
      reason: 'changed my mind',
    });
    expect(server.sent.find(({ body }) => body.id === 1)?.body.error).toMatchObject({ message: 'gone' });
  });
});

describe('what the server tells', () => {
  it('goes to the request it is about, progress by its token', async () => {
    const { server, calls } = streaming();
    const { links } = sessionRig(server);
    const [one, two] = [collect(), collect()];
    const first = links.request(UPSTREAM, request({ ...one, wantsProgress: true }));
    const second = links.request(UPSTREAM, request({ ...two, wantsProgress: true }));
    const [a, b] = [await nth(calls, 0), await nth(calls, 1)];
    const tokenOf = ({ sent }: typeof a): unknown => at(sent.body.params, '_meta', 'progressToken');
    b.stream.send({ method: 'notifications/progress', params: { progressToken: tokenOf(a), progress: 1 } });
    b.stream.send({ method: 'notifications/progress', params: { progressToken: 'nobody', progress: 2 } });
    a.stream.send({ method: 'notifications/message', params: { level: 'info', data: 'hello' } });
    a.stream.send(done(a.sent.body.id)).end();
    b.stream.send(done(b.sent.body.id)).end();
    await Promise.all([first, second]);
    expect(one.heard).toEqual([
      { method: 'notifications/progress', params: { progress: 1 } },
      { method: 'notifications/message', params: { level: 'info', data: 'hello' } },
    ]);
    expect(two.heard).toEqual([]);
  });

  it('as a log message is of the level wanted', async () => {
    const { server, calls } = streaming();
    const { links } = sessionRig(server);
    const told = collect();
    const outcome = links.request(UPSTREAM, request({ ...told, logLevel: 'warning' }));
    const { stream, sent } = await nth(calls);
    for (const level of ['debug', 'warning', 'error', 'unheard']) {
      stream.send({ method: 'notifications/message', params: { level } });
    }
    stream.send(done(sent.body.id)).end();
    await outcome;
    expect(told.heard.map(({ params }) => params?.['level'])).toEqual(['warning', 'error', 'unheard']);
    expect(server.of('logging/setLevel').map(({ body }) => body.params)).toEqual([{ level: 'warning' }]);
  });

  it('about its lists and resources goes to who listens, whatever stream it came on', async () => {
    const { server, calls } = streaming();
    const { links, held } = sessionRig(server);
    const [call, listening] = [collect(), collect()];
    const listener = links.listen(UPSTREAM, { uris: ['file:///a'], onNotification: listening.onNotification });
    await vi.waitFor(() => expect(server.of('resources/subscribe')).toHaveLength(1));
    const outcome = links.request(UPSTREAM, request(call));
    const { stream, sent } = await nth(calls);
    stream.send({ method: 'notifications/tools/list_changed' });
    stream.send({ method: 'notifications/resources/updated', params: { uri: 'file:///a' } });
    stream.send({ method: 'notifications/resources/updated', params: { uri: 'file:///other' } });
    server.push.send({ method: 'notifications/message', params: { level: 'info', data: 'to nobody in particular' } });
    await vi.waitFor(() => expect(listening.heard).toHaveLength(3));
    stream.send(done(sent.body.id)).end();
    await outcome;
    expect(call.heard).toEqual([]);
    expect(listening.heard.map(({ method }) => method).toSorted()).toEqual([
      'notifications/message',
      'notifications/resources/updated',
      'notifications/tools/list_changed',
    ]);
    expect(held.get('one')?.hasOwnLists).toBe(true);
    listener.close();
  });

  it('may be a storm, through which the answer still comes', async () => {
    const { server, calls } = streaming();
    const { links } = sessionRig(server);
    const told = collect();
    const outcome = links.request(UPSTREAM, request({ ...told, logLevel: 'debug' }));
    const { stream, sent } = await nth(calls);
    for (let count = 0; count < 20_000; count++) {
      stream.send({ method: 'notifications/message', params: { level: 'debug', data: count } });
    }
    stream.send(done(sent.body.id)).end();
    expect(await outcome).toEqual(SUCCESS);
    expect(told.heard).toHaveLength(20_000);
  });

  it.each([
    ['an answer to a request never made', (): object => done(123_456_789, 'not yours')],
    ['an answer to null', () => ({ id: null, result: {} })],
    ['an answer that is no object', () => ({ id: 1, result: 'text' })],
    ['a message that is nothing', () => ({})],
    ['a request without a method', () => ({ id: 1, params: {} })],
  ])('is ignored where it makes no sense: %s', async (_what, message) => {
    const { server, calls } = streaming();
    const outcome = sessionRig(server).links.request(UPSTREAM, request());
    const { stream, sent } = await nth(calls);
    stream.send(message()).raw('data: not json\n\n').send(done(sent.body.id)).end();
    expect(await outcome).toEqual(SUCCESS);
  });
});
