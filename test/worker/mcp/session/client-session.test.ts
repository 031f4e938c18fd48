import { describe, expect, it } from 'vitest';
import type { ClientRequest } from '../../../../src/mcp/client-request.ts';
import { EventReader, NONCE, request, sessionRig, type Script } from './rig.ts';

const whose: Script = async ({ caller }) => ({ result: { session: caller.session } });
const done: Script = async () => ({ result: { done: true } });
const progress = (step: number) => ({
  method: 'notifications/progress',
  params: { progressToken: 'p', progress: step },
});
const answer = (result: object, id: string | number = 1) => ({ jsonrpc: '2.0', id, result });

/** Tells as many steps as it is asked to, then waits to be released. */
function stepping() {
  const gate = Promise.withResolvers<void>();
  let asked: ClientRequest | undefined;
  const script: Script = async (peer, { steps = 1 }) => {
    asked = peer;
    for (let step = 1; step <= Number(steps); step++) peer.notify(progress(step));
    await gate.promise;
    return { result: { done: true } };
  };
  return { script, release: () => gate.resolve(), request: () => asked };
}

const cancel = (requestId: unknown, reason?: unknown) => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId, reason },
});

describe('a request of a session', () => {
  it('is answered as plain JSON where it is quick and silent, and nothing is stored', async () => {
    const rig = sessionRig({ script: { quick: done } });
    expect(await rig.post(request('quick'))).toEqual({ kind: 'json', json: JSON.stringify(answer({ done: true })) });
    await scheduler.wait(400);
    expect(rig.store.writes).toBe(0);
  });

  it('is answered as a stream where the client would rather have one', async () => {
    const rig = sessionRig({ script: { quick: done } });
    const reader = new EventReader(await rig.post(request('quick'), { prefersStream: true }));
    expect(await reader.all()).toEqual([{ type: 'message', message: answer({ done: true }) }]);
  });

  it('is answered as a stream that begins with an id as soon as something is told', async () => {
    const { script, release } = stepping();
    const rig = sessionRig({ script: { steps: script } });
    const reader = new EventReader(await rig.post(request('steps', { steps: 2 })));
    const primed = await reader.next();
    expect(primed).toEqual({ id: expect.stringMatching(/^[\w-]{16}\.0$/), retry: 1000 });
    release();
    const rest = await reader.all();
    expect(rest.map(({ message }) => message)).toEqual([
      { jsonrpc: '2.0', ...progress(1) },
      { jsonrpc: '2.0', ...progress(2) },
      answer({ done: true }),
    ]);
    const ids = [primed, ...rest].map((event) => event?.id?.split('.')[1]);
    expect(ids).toEqual(['0', '1', '2', '3']);
  });

  it('sends no event without data to clients that know of none', async () => {
    const { script, release } = stepping();
    release();
    const rig = sessionRig({ script: { steps: script }, protocolVersion: '2025-06-18' });
    const events = await new EventReader(await rig.post(request('steps'))).all();
    expect(events.map(({ message }) => message)).toEqual([{ jsonrpc: '2.0', ...progress(1) }, answer({ done: true })]);
    expect(events[0]?.id).toBeDefined();
  });

  it('is answered as a stream where it takes long', async () => {
    const { script, release } = stepping();
    const rig = sessionRig({ script: { steps: script } });
    const posted = rig.post(request('steps', { steps: 0 }));
    const reader = new EventReader(await posted);
    expect(await reader.next()).toMatchObject({ retry: 1000 });
    release();
    expect(await reader.next()).toMatchObject({ message: answer({ done: true }) });
  });

  it('is on the record with its session', async () => {
    const rig = sessionRig({ script: { whose } });
    expect(await rig.post(request('whose'))).toMatchObject({ json: expect.stringContaining(NONCE) });
  });

  it('may be one of a batch', async () => {
    const rig = sessionRig({ script: { quick: done } });
    const batch = [
      request('quick', {}, 1),
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      request('no', {}, 2),
    ];
    const posted = await rig.post(batch);
    expect(posted).toMatchObject({ kind: 'json' });
    const json = JSON.parse(posted.kind === 'json' && typeof posted.json === 'string' ? posted.json : '') as unknown[];
    expect(json).toHaveLength(2);
    expect(json).toContainEqual(answer({ done: true }));
    expect(json).toContainEqual(expect.objectContaining({ id: 2, error: expect.anything() }));
  });

  it.each([
    ['no JSON-RPC', { method: 'quick' }, 'invalid_message'],
    ['nothing', [], 'invalid_message'],
    ['an id that is none', { jsonrpc: '2.0', id: {}, method: 'quick' }, 'invalid_message'],
    ['one bad message among good ones', [request('quick'), 7], 'invalid_message'],
    ['too many', Array.from({ length: 101 }, (_, id) => request('quick', {}, id)), 'too_many_messages'],
  ])('is refused where the body is %s', async (_what, body, refusal) => {
    const rig = sessionRig({ script: { quick: done } });
    expect(await rig.post(body)).toEqual({ kind: 'refused', refusal });
  });

  it('becomes an error where the answer cannot be written', async () => {
    const deep = {
      toJSON() {
        throw new RangeError('Maximum call stack size exceeded');
      },
    };
    const rig = sessionRig({ script: { deep: async () => ({ result: { deep } }) } });
    const posted = await rig.post(request('deep'));
    expect(posted).toMatchObject({ kind: 'json', json: expect.stringContaining('nested too deeply') });
  });

  it('becomes an error where the gateway fails', async () => {
    const rig = sessionRig({
      script: {
        fail: async () => {
          throw new Error('a fault');
        },
      },
    });
    expect(await rig.post(request('fail'))).toMatchObject({ json: expect.stringContaining('req_1') });
  });
});

describe('cancelling', () => {
  it('reaches the request of that very id, and answers nothing', async () => {
    const first = stepping();
    const second = stepping();
    const rig = sessionRig({ script: { first: first.script, second: second.script } });
    const one = new EventReader(await rig.post(request('first', {}, 1)));
    const other = new EventReader(await rig.post(request('second', {}, '1')));
    expect(await rig.post(cancel(1))).toEqual({ kind: 'accepted' });
    expect(first.request()?.signal.aborted).toBe(true);
    expect(second.request()?.signal.aborted).toBe(false);
    first.release();
    second.release();
    expect((await one.all()).map(({ message }) => message)).toEqual([undefined, { jsonrpc: '2.0', ...progress(1) }]);
    expect((await other.all()).at(-1)?.message).toEqual(answer({ done: true }, '1'));
  });

  it.each([
    ['changed my mind', 'changed my mind'],
    ['x'.repeat(9_000), 'x'.repeat(500)],
    [undefined, 'The client cancelled the request'],
    [{ a: 1 }, 'The client cancelled the request'],
  ])('hands on why: %j', async (given, told) => {
    const { script, release, request: running } = stepping();
    const rig = sessionRig({ script: { steps: script } });
    const posted = rig.post(request('steps', { steps: 0 }));
    await rig.post(cancel(1, given));
    expect(running()?.signal.reason).toBe(told);
    release();
    await posted;
  });

  it('of a silent request leaves nothing to be said', async () => {
    const { script, release } = stepping();
    const rig = sessionRig({ script: { steps: script } });
    const posted = rig.post(request('steps', { steps: 0 }));
    await rig.post(cancel(1));
    release();
    expect(await posted).toEqual({ kind: 'accepted' });
  });

  it('is not what a lost connection means', async () => {
    const { script, request: running } = stepping();
    const rig = sessionRig({ script: { steps: script } });
    const reader = new EventReader(await rig.post(request('steps')));
    await reader.hangUp();
    expect(running()?.signal.aborted).toBe(false);
  });

  it('aborts all of a key that was revoked', async () => {
    const { script, request: running } = stepping();
    const rig = sessionRig({ script: { steps: script } });
    const reader = new EventReader(await rig.post(request('steps')));
    rig.revoke(true);
    expect(await rig.post(request('steps', {}, 2))).toEqual({ kind: 'refused', refusal: 'revoked' });
    expect((await reader.all()).length).toBe(2);
    expect(running()?.signal.aborted).toBe(true);
  });
});

describe('roots', () => {
  it('that changed are told to the upstreams', async () => {
    const rig = sessionRig({ script: { quick: done } });
    await rig.post(request('quick'));
    await rig.post({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' });
    expect(rig.rootsChanged()).toBe(1);
  });
});

describe('a storm of notifications', () => {
  it('is thinned: the last of what is superseded, of log messages a part and a word about it', async () => {
    const storm: Script = async ({ notify }) => {
      for (let step = 1; step <= 5_000; step++) {
        notify(progress(step));
        notify({ method: 'notifications/message', params: { level: 'info', data: step } });
      }
      return { result: {} };
    };
    const rig = sessionRig({ script: { storm } });
    const events = await new EventReader(await rig.post(request('storm'))).all();
    expect(events.length).toBeLessThan(300);
    const messages = events.map(({ message }) => message);
    expect(messages).toContainEqual({ jsonrpc: '2.0', ...progress(5_000) });
    expect(JSON.stringify(messages)).toContain('log messages came too fast');
    expect(messages.at(-1)).toEqual(answer({}));
  });
});
