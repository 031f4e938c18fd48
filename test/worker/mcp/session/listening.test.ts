// The stream of a session's own: what belongs to no request.
import { describe, expect, it } from 'vitest';
import { at } from '../../../../src/lib/json-value.ts';
import { EventReader, request, sessionRig, type Rig } from './rig.ts';

const FACE = { capabilities: { roots: {} } };
const log = (level: string, data = 'x') => ({ method: 'notifications/message', params: { level, data } });

/** The upstream's ear, once the feed has it. */
async function listening(rig: Rig) {
  await expect.poll(() => rig.listenings.length).toBeGreaterThan(0);
  const [ear] = rig.listenings;
  if (ear === undefined) throw new Error('nobody listens');
  return ear;
}

async function opened(options: Parameters<typeof sessionRig>[0] = {}) {
  const rig = sessionRig({ face: FACE, ...options });
  const reader = new EventReader(await rig.listen());
  const primed = await reader.next();
  return { rig, reader, primed };
}

describe('the stream of a session', () => {
  it('begins with an id, and tells what the servers log', async () => {
    const { rig, reader, primed } = await opened();
    expect(primed).toEqual({ id: expect.any(String), retry: 1000 });
    (await listening(rig)).onNotification(log('error'));
    expect(await reader.next()).toMatchObject({ message: { ...log('error') }, id: expect.any(String) });
  });

  it('keeps to the level that the client set', async () => {
    const script = {
      'logging/setLevel': async ({ session }: { session?: { setLogLevel(level: 'error'): Promise<void> } }) => {
        await session?.setLogLevel('error');
        return { result: {} };
      },
    };
    const { rig, reader } = await opened({ script });
    await rig.post(request('logging/setLevel'));
    const ear = await listening(rig);
    ear.onNotification(log('warning', 'too slight'));
    ear.onNotification(log('error', 'wanted'));
    expect(await reader.next()).toMatchObject({ message: log('error', 'wanted') });
    expect(rig.restarted().store.state().logLevel, 'kept').toBe('error');
  });

  it('carries questions of no request', async () => {
    const { rig, reader } = await opened();
    const ear = await listening(rig);
    const answer = ear.ask?.({ method: 'roots/list' }, new AbortController().signal);
    const id = at((await reader.next())?.message, 'id');
    await rig.post({ jsonrpc: '2.0', id, result: { roots: [] } });
    expect(await answer).toEqual({ result: { roots: [] } });
  });

  it('is one: a second is refused while the first is read', async () => {
    const { rig, reader } = await opened();
    const first = reader.next();
    expect(await rig.listen()).toEqual({ kind: 'refused', refusal: 'stream_open' });
    (await listening(rig)).onNotification(log('error'));
    expect(await first).toMatchObject({ message: log('error') });
  });

  it('is free again once its reader has gone', async () => {
    const { rig, reader } = await opened();
    await reader.hangUp();
    expect(await rig.listen()).toMatchObject({ kind: 'stream' });
  });

  it('goes on where a client left it, and an older connection ends', async () => {
    const { rig, reader, primed } = await opened();
    const ear = await listening(rig);
    ear.onNotification(log('error', 'missed'));
    const resumed = new EventReader(await rig.listen(primed?.id));
    await resumed.next();
    expect(await resumed.next()).toMatchObject({ message: log('error', 'missed') });
    await reader.next();
    expect(await reader.next()).toBeUndefined();
  });

  it('goes on in a later life of the object, with what was missed', async () => {
    const { rig, reader, primed } = await opened();
    const ear = await listening(rig);
    await reader.hangUp();
    ear.onNotification(log('error', 'missed'));
    await scheduler.wait(400);
    const resumed = new EventReader(await rig.restarted().listen(primed?.id));
    await resumed.next();
    expect(await resumed.next()).toMatchObject({ message: log('error', 'missed') });
  });

  it('ends for a key that was revoked', async () => {
    const { rig, reader } = await opened();
    await listening(rig);
    rig.revoke(true);
    expect(await reader.next()).toBeUndefined();
    expect(await rig.listen()).toEqual({ kind: 'refused', refusal: 'revoked' });
  });

  it('ends with the session', async () => {
    const { rig, reader } = await opened();
    await rig.session.close();
    expect(await reader.next()).toBeUndefined();
    expect(rig.session.busy).toBe(false);
  });

  it('makes the session count as used', async () => {
    const { rig, reader } = await opened();
    expect(rig.session.busy).toBe(true);
    await reader.hangUp();
    expect(rig.session.busy).toBe(false);
  });
});

describe('the old transport', () => {
  it('begins with where to send messages, and answers come on the stream', async () => {
    const rig = sessionRig({ transport: 'sse', script: { quick: async () => ({ result: { done: true } }) } });
    const open = { nonce: 'n', narrowing: {} };
    const reader = new EventReader(await rig.session.open(open, '/mcp?session=s'));
    expect(await reader.next()).toEqual({ type: 'endpoint', id: expect.any(String), message: '/mcp?session=s' });
    expect(await rig.post(request('quick'))).toEqual({ kind: 'accepted' });
    const answered = await reader.next();
    expect(answered?.message).toEqual({ jsonrpc: '2.0', id: 1, result: { done: true } });
    expect(answered?.id).toMatch(/~[\w-]{16}\.\d+$/);
  });
});
