// What a server asks the client in the midst of a request, and what the client answers.
import { describe, expect, it } from 'vitest';
import { at } from '../../../../src/lib/json-value.ts';
import type { RpcAnswer } from '../../../../src/mcp/protocol/message.ts';
import { EventReader, request, sessionRig, type Rig, type Script } from './rig.ts';

const FACE = { capabilities: { sampling: {}, elicitation: {}, roots: { listChanged: true } } };
const ROOTS = { method: 'roots/list' };
const never = new AbortController().signal;

/** Asks once, and answers with what it heard. */
const asking =
  (question: { readonly method: string; readonly params?: object } = ROOTS, withdrawn = never): Script =>
  async ({ ask }) => {
    const heard = await ask?.(question as { method: string }, withdrawn);
    return { result: { heard } };
  };

interface Asked {
  readonly rig: Rig;
  readonly reader: EventReader;
  readonly id: unknown;
  /** Where the stream stood before the question. */
  readonly primed: string;
}

async function asked(script: Script = asking(), face = FACE): Promise<Asked> {
  const rig = sessionRig({ script: { ask: script }, face });
  const reader = new EventReader(await rig.post(request('ask')));
  const primed = (await reader.next())?.id ?? '';
  return { rig, reader, id: at((await reader.next())?.message, 'id'), primed };
}

const response = (id: unknown, answer: RpcAnswer = { result: { roots: [] } }) => ({ jsonrpc: '2.0', id, ...answer });

async function heardBy(reader: EventReader): Promise<unknown> {
  return at((await reader.next())?.message, 'result', 'heard');
}

const many: Script = async ({ ask }) => {
  const answers = Array.from({ length: 101 }, async () => ask?.(ROOTS, never));
  return { result: { heard: await answers.at(-1) } };
};

describe('a question', () => {
  it('comes on the stream of its request, under an id of ours, and its answer goes back', async () => {
    const { rig, reader, id } = await asked();
    expect(id).toMatch(/^ask_/);
    expect(await rig.post(response(id))).toEqual({ kind: 'accepted' });
    expect(await heardBy(reader)).toEqual({ result: { roots: [] } });
  });

  it('may be answered with an error', async () => {
    const { rig, reader, id } = await asked();
    const error = { code: -1, message: 'no' };
    await rig.post(response(id, { error }));
    expect(await heardBy(reader)).toEqual({ error });
  });

  it('waits for a client that was away', async () => {
    const { rig, reader, primed } = await asked();
    await reader.hangUp();
    const resumed = new EventReader(await rig.listen(primed));
    await resumed.next();
    await rig.post(response(at((await resumed.next())?.message, 'id')));
    expect(await heardBy(resumed)).toEqual({ result: { roots: [] } });
  });

  it('is answered once, by its own session', async () => {
    const [one, other] = [await asked(), await asked()];
    expect(await other.rig.post(response(one.id, { result: { roots: ['stolen'] } }))).toEqual({ kind: 'accepted' });
    await one.rig.post(response(one.id));
    await one.rig.post(response(one.id, { result: { roots: ['late'] } }));
    expect(await heardBy(one.reader)).toEqual({ result: { roots: [] } });
    await other.rig.post(response(other.id));
    expect(await heardBy(other.reader)).toEqual({ result: { roots: [] } });
  });

  it.each([
    ['of a number', 1],
    ['of nothing', null],
    ['of nobody', 'ask_x'],
  ])('that was never asked has no answer: an id %s is of no consequence', async (_what, id) => {
    const { rig, reader, id: real } = await asked();
    expect(await rig.post(response(id))).toEqual({ kind: 'accepted' });
    await rig.post(response(real));
    expect(await heardBy(reader)).toEqual({ result: { roots: [] } });
  });

  it('that the server takes back is taken back', async () => {
    const withdrawn = new AbortController();
    const { reader, id } = await asked(asking(ROOTS, withdrawn.signal));
    withdrawn.abort();
    expect((await reader.next())?.message).toMatchObject({
      method: 'notifications/cancelled',
      params: { requestId: id },
    });
    expect(await heardBy(reader)).toMatchObject({ error: { code: -32603 } });
  });

  it('does not outlive the session', async () => {
    const { rig, reader } = await asked();
    await rig.session.close();
    expect(rig.closed).toEqual(['upstreams']);
    expect(await reader.next()).toBeUndefined();
  });

  it.each([
    ['sampling/createMessage', {}, {}],
    ['roots/list', {}, {}],
    ['elicitation/create', {}, {}],
    ['elicitation/create', { mode: 'url' }, { elicitation: {} }],
    ['elicitation/create', { mode: 'form' }, { elicitation: { url: {} } }],
  ])('%s of %j is not put to a client of %j', async (method, params, capabilities) => {
    const rig = sessionRig({ script: { ask: asking({ method, params }) }, face: { capabilities } });
    const posted = await rig.post(request('ask'));
    expect(posted).toMatchObject({ kind: 'json', json: expect.stringContaining('cannot be asked') });
  });

  it.each([
    ['elicitation/create', { mode: 'url' }, { elicitation: { url: {} } }],
    ['elicitation/create', {}, { elicitation: { form: {}, url: {} } }],
    ['sampling/createMessage', {}, { sampling: {} }],
  ])('%s of %j is put to a client of %j', async (method, params, capabilities) => {
    const { id } = await asked(asking({ method, params }), { capabilities } as typeof FACE);
    expect(id).toMatch(/^ask_/);
  });

  it('too many are refused', async () => {
    const rig = sessionRig({ script: { ask: many }, face: FACE });
    const events = await new EventReader(await rig.post(request('ask'))).all();
    expect(JSON.stringify(events.at(-1)?.message)).toContain('100 questions');
  });
});
