import { describe, expect, it } from 'vitest';
import { EventReader, request, sessionRig, type Script } from './rig.ts';

const note = (data: unknown) => ({ method: 'notifications/message', params: { level: 'info', data } });
const told = (data: unknown) => ({ jsonrpc: '2.0', ...note(data) });
const answer = (id: string | number = 1) => ({ jsonrpc: '2.0', id, result: { done: true } });

/** Says one thing, and goes on when told to. */
function conversation() {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const script: Script = async ({ notify }) => {
    notify(note('first'));
    await gates[0].promise;
    notify(note('second'));
    await gates[1].promise;
    return { result: { done: true } };
  };
  return { script, goOn: () => gates[0].resolve(), end: () => gates[1].resolve() };
}

const messagesOf = (events: readonly { readonly message?: unknown }[]) =>
  events.flatMap(({ message }) => message ?? []);

async function begun(options: Parameters<typeof sessionRig>[0] = {}) {
  const talk = conversation();
  const rig = sessionRig({ ...options, script: { talk: talk.script } });
  const reader = new EventReader(await rig.post(request('talk')));
  const primed = await reader.next();
  const first = await reader.next();
  if (primed?.id === undefined || first?.id === undefined) throw new Error('no ids');
  return { rig, talk, reader, primed: primed.id, first: first.id };
}

describe('a stream whose client was gone for a while', () => {
  it('is taken up after the last event, with what came meanwhile and what comes', async () => {
    const { rig, talk, reader, first } = await begun();
    await reader.hangUp();
    talk.goOn();
    await scheduler.wait(10);
    const resumed = new EventReader(await rig.listen(first));
    expect(await resumed.next()).toMatchObject({ id: first, retry: 1000 });
    expect(await resumed.next()).toMatchObject({ message: told('second') });
    talk.end();
    expect(await resumed.next()).toMatchObject({ message: answer() });
    expect(await resumed.next()).toBeUndefined();
  });

  it('keeps the answer although nobody was there when it came', async () => {
    const { rig, talk, reader, primed } = await begun();
    await reader.hangUp();
    talk.goOn();
    talk.end();
    await scheduler.wait(10);
    expect(messagesOf(await new EventReader(await rig.listen(primed)).all())).toEqual([
      told('first'),
      told('second'),
      answer(),
    ]);
  });

  it('is over for a client that has all of it', async () => {
    const { rig, talk, reader } = await begun();
    talk.goOn();
    talk.end();
    const last = (await reader.all()).at(-1);
    expect(last?.message).toEqual(answer());
    expect(await rig.listen(last?.id)).toEqual({ kind: 'over' });
  });

  it('has one reader at a time, the latest', async () => {
    const { rig, talk, reader, first } = await begun();
    const resumed = new EventReader(await rig.listen(first));
    expect(await reader.next(), 'the one before').toBeUndefined();
    talk.goOn();
    await resumed.next();
    expect(await resumed.next()).toMatchObject({ message: told('second') });
  });

  it.each([
    ['another session', 'AAAAAAAAAAAAAAAA.1'],
    ['no stream', '.1'],
    ['no position', 'AAAAAAAAAAAAAAAA'],
    ['nothing', 'x'],
    ['a position that is none', 'AAAAAAAAAAAAAAAA.-1'],
  ])('is not found by an id of %s', async (_what, id) => {
    const { rig } = await begun();
    expect(await rig.listen(id)).toEqual({ kind: 'refused', refusal: 'unknown_event' });
  });

  it('is not found by an id of the other session, however alike they are', async () => {
    const [one, other] = [await begun(), await begun()];
    expect(await other.rig.listen(one.first)).toEqual({ kind: 'refused', refusal: 'unknown_event' });
    expect(await one.rig.listen(other.primed)).toEqual({ kind: 'refused', refusal: 'unknown_event' });
  });
});

const pausing: Script = async ({ onPause }) => {
  onPause?.(700);
  await scheduler.wait(20);
  return { result: { done: true } };
};

describe('an upstream that ends its stream for a while', () => {
  it('has the client sent away, to come back for the answer', async () => {
    const rig = sessionRig({ script: { pausing } });
    const events = await new EventReader(await rig.post(request('pausing'))).all();
    expect(events[0]).toEqual({ id: expect.any(String), retry: 1000 });
    expect(events.at(-1)).toEqual({ id: events[0]?.id, retry: 700 });
    const resumed = new EventReader(await rig.listen(events[0]?.id));
    expect(messagesOf(await resumed.all())).toEqual([answer()]);
  });

  it('is none of the client\u2019s business where it could not come back', async () => {
    const rig = sessionRig({ script: { pausing }, protocolVersion: '2025-06-18' });
    expect(await rig.post(request('pausing'))).toMatchObject({ kind: 'json' });
  });
});

describe('after the object was evicted', () => {
  it('an answer that nobody fetched is still there', async () => {
    const { rig, talk, reader, first } = await begun();
    await reader.hangUp();
    talk.goOn();
    talk.end();
    await scheduler.wait(400);
    const revived = rig.restarted();
    expect(messagesOf(await new EventReader(await revived.listen(first)).all())).toEqual([told('second'), answer()]);
  });

  it('so is one that was sent, for it may not have arrived', async () => {
    const { rig, talk, reader, first } = await begun();
    talk.goOn();
    talk.end();
    await reader.all();
    await scheduler.wait(400);
    expect(messagesOf(await new EventReader(await rig.restarted().listen(first)).all())).toContainEqual(answer());
  });

  it('a request that was under way ends with an error instead of silence', async () => {
    const { rig, first } = await begun();
    const resumed = await new EventReader(await rig.restarted().listen(first)).all();
    expect(messagesOf(resumed)).toEqual([
      { jsonrpc: '2.0', id: 1, error: { code: -32603, message: expect.stringContaining('restarted') } },
    ]);
    // Told once, it is not asked for again.
    await scheduler.wait(400);
    expect(await rig.restarted().listen(resumed.at(-1)?.id)).toEqual({ kind: 'over' });
  });

  it('an answer too large to be stored leaves word of it', async () => {
    const large = 'x'.repeat(2 * 1024 * 1024);
    const script: Script = async ({ notify }) => {
      notify(note('first'));
      await scheduler.wait(20);
      return { result: { large } };
    };
    const rig = sessionRig({ script: { large: script } });
    const reader = new EventReader(await rig.post(request('large')));
    const primed = await reader.next();
    await reader.hangUp();
    await scheduler.wait(50);
    const [, inMemory] = messagesOf(await new EventReader(await rig.listen(primed?.id)).all());
    expect(inMemory).toEqual({ jsonrpc: '2.0', id: 1, result: { large } });
    await scheduler.wait(400);
    const [, stored] = messagesOf(await new EventReader(await rig.restarted().listen(primed?.id)).all());
    expect(stored).toMatchObject({ id: 1, error: { message: expect.stringContaining('too large') } });
  });
});

const chatter: Script = async ({ notify }) => {
  for (let turn = 0; turn < 30; turn++) {
    for (let line = 0; line < 100; line++) notify(note(`${turn} ${line}`));
    await scheduler.wait(110);
  }
  return { result: {} };
};

describe('the log', () => {
  it('is bounded, and gives up answers last', async () => {
    const talk = conversation();
    const rig = sessionRig({ script: { chatter, talk: talk.script } });
    const answered = new EventReader(await rig.post(request('talk', {}, 'kept')));
    const primed = await answered.next();
    talk.goOn();
    talk.end();
    await answered.all();
    const noisy = new EventReader(await rig.post(request('chatter', {}, 'noisy')));
    const noisyId = (await noisy.next())?.id;
    await noisy.all();
    const replayed = await new EventReader(await rig.listen(noisyId)).all();
    expect(replayed.length).toBeGreaterThan(900);
    expect(replayed.length).toBeLessThanOrEqual(1_001);
    expect(messagesOf(await new EventReader(await rig.listen(primed?.id)).all())).toEqual([answer('kept')]);
  });
});
