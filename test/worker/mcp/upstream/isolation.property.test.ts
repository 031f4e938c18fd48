// Principals and clients at one stateful upstream, in any interleaving: nobody gets a session, an event, a subscription,
// a question, a resumed call or a list that is another's.
import { array, assert, asyncProperty, constant, constantFrom, oneof, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isObject, type JsonObject, textAt } from '../../../../src/lib/json-value.ts';
import type { Face, Listener, UpstreamLinks } from '../../../../src/mcp/links.ts';
import type { Upstream } from '../../../../src/policy/snapshot.ts';
import { rig } from './rig.ts';
import { catalog, request, ScriptedServer, sessionRig, Stream, UPSTREAM } from './session-rig.ts';

const PEOPLE = ['alice', 'bob', 'carol'] as const;
type Person = (typeof PEOPLE)[number];

const person = constantFrom(...PEOPLE);
const step = oneof(
  record({ what: constant('call' as const), who: person }),
  record({ what: constant('ask' as const), who: person }),
  record({ what: constant('resume' as const), who: person, whose: person }),
  record({ what: constant('listen' as const), who: person }),
  record({ what: constant('push' as const), who: person }),
  record({ what: constant('lose' as const), who: person }),
  record({ what: constant('wait' as const), who: person }),
);

const faceOf = (who: Person): Face => ({
  info: { name: who, version: '1' },
  capabilities: { roots: {}, elicitation: {} },
});

/**
 * A server that keeps everything by session and marks all it says with the name under which the session was opened. A
 * call with `ask` asks for roots and answers with what it got.
 */
class Stateful {
  readonly server: ScriptedServer;
  readonly owners = new Map<string, string>();
  /** Who was found in a session of another. */
  readonly trespasses: string[] = [];
  readonly #pushes = new Map<string, Stream>();
  readonly #waiting = new Map<unknown, { readonly stream: Stream; readonly call: unknown; readonly owner: string }>();
  #questions = 0;

  constructor() {
    this.server = new ScriptedServer(({ method, headers, body }) => {
      const session = headers.get('mcp-session-id') ?? '';
      if (body.method === 'initialize') {
        this.owners.set(`s-${this.owners.size + 1}`, textAt(body.params, 'clientInfo', 'name') ?? '');
        return undefined;
      }
      const owner = this.owners.get(session) ?? 'nobody';
      if (method === 'GET') return this.#push(session).response;
      if (body.method === undefined && body.id !== undefined) this.#answered(body, owner);
      if (body.method !== 'tools/call' || !this.server.sessions.has(session)) return undefined;
      return this.#call(body, owner);
    });
  }

  push(who: Person): void {
    for (const [session, owner] of this.owners) {
      if (owner !== who || !this.server.sessions.has(session)) continue;
      this.#pushes.get(session)?.send({ method: 'notifications/resources/updated', params: { uri: `for:${owner}` } });
    }
  }

  lose(who: Person): void {
    for (const [session, owner] of this.owners) if (owner === who) this.server.sessions.delete(session);
  }

  #push(session: string): Stream {
    const stream = new Stream();
    this.#pushes.set(session, stream);
    return stream;
  }

  #call({ id, params }: { id?: unknown; params?: JsonObject }, owner: string): Response {
    const said = textAt(params, 'arguments', 'by');
    if (said !== owner) this.trespasses.push(`${said} in the session of ${owner}`);
    const stream = new Stream();
    if (textAt(params, 'name') === 'ask') {
      this.#questions += 1;
      const question = this.#questions;
      this.#waiting.set(question, { stream, call: id, owner });
      stream.send({ id: question, method: 'roots/list', params: { _meta: { owner } } });
    } else {
      stream.send({ id, result: { content: [], owner } }).end();
    }
    return stream.response;
  }

  #answered({ id, result, error }: { id?: unknown; result?: unknown; error?: JsonObject }, owner: string): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    if (waiting.owner !== owner) this.trespasses.push(`${owner} answered what ${waiting.owner} was asked`);
    waiting.stream.send({ id: waiting.call, result: { content: [], owner, got: result ?? error } }).end();
  }
}

function callOf(name: string, who: Person) {
  return request({ params: { name, arguments: { by: who } } });
}

interface World {
  readonly stateful: Stateful;
  readonly upstream: Upstream;
  readonly links: ReadonlyMap<Person, UpstreamLinks>;
  readonly leaks: string[];
  readonly listeners: Listener[];
  readonly work: Promise<void>[];
}

function check(world: World, who: Person, result: JsonObject): void {
  if ('owner' in result && result['owner'] !== who) world.leaks.push(`${who} got what is ${String(result['owner'])}'s`);
  const { got } = result;
  if (isObject(got) && 'by' in got && got['by'] !== who)
    world.leaks.push(`${who}'s call got ${String(got['by'])}'s answer`);
}

async function call(world: World, who: Person, name: string): Promise<JsonObject | undefined> {
  const ask = async ({ params }: { params?: JsonObject }) => {
    const owner = textAt(params, '_meta', 'owner');
    if (owner !== who) world.leaks.push(`${who} was asked for ${owner}`);
    return { result: { roots: [], by: who } };
  };
  const outcome = await world.links.get(who)?.request(world.upstream, { ...callOf(name, who), ask });
  if (outcome?.ok !== true) return undefined;
  check(world, who, outcome.value);
  return outcome.value;
}

function listen(world: World, who: Person): void {
  const listener = world.links.get(who)?.listen(world.upstream, {
    uris: [`for:${who}`],
    onNotification: ({ params }) => {
      if (textAt(params, 'uri') !== `for:${who}`) world.leaks.push(`${who} heard ${textAt(params, 'uri')}`);
    },
  });
  if (listener !== undefined) world.listeners.push(listener);
}

/** Ends only when everything begun has ended. */
async function play(world: World, steps: readonly { what: string; who: Person; whose?: Person }[]): Promise<void> {
  const asked = new Map<Person, JsonObject>();
  for (const { what, who, whose } of steps) {
    if (what === 'call') world.work.push(call(world, who, 'tell').then(() => undefined));
    if (what === 'ask') {
      world.work.push(
        call(world, who, 'ask').then((result) => {
          if (result?.['resultType'] === 'input_required') asked.set(who, result);
          return undefined;
        }),
      );
    }
    if (what === 'resume') await resume(world, who, asked.get(whose ?? who), whose ?? who);
    if (what === 'listen') listen(world, who);
    if (what === 'push') world.stateful.push(who);
    if (what === 'lose') world.stateful.lose(who);
    if (what === 'wait') await scheduler.wait(30);
  }
  for (const listener of world.listeners) listener.close();
}

async function resume(world: World, who: Person, asked: JsonObject | undefined, whose: Person): Promise<void> {
  const state = textAt(asked, 'requestState');
  const inputRequests = asked?.['inputRequests'];
  if (state === undefined || !isObject(inputRequests)) return;
  const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((key) => [key, { roots: [], by: who }]));
  const params = { name: 'ask', arguments: { by: who }, inputResponses, requestState: state };
  const outcome = await world.links.get(who)?.request(world.upstream, request({ params }));
  if (outcome?.ok !== true) return;
  if (who !== whose) world.leaks.push(`${who} went on with ${whose}'s call`);
  check(world, who, outcome.value);
}

let worlds = 0;
function newWorld(linksFor: (stateful: Stateful) => (who: Person) => UpstreamLinks): World {
  worlds += 1;
  const stateful = new Stateful();
  const of = linksFor(stateful);
  const upstream = { ...UPSTREAM, fingerprint: `iso${worlds}`, timeout: 500 };
  const links = new Map(PEOPLE.map((who) => [who, of(who)]));
  return { stateful, upstream, links, leaks: [], listeners: [], work: [] };
}

const KNOWN = catalog({ capabilities: { resources: { subscribe: true } } });

describe.each([
  [
    'principals without sessions',
    (stateful: Stateful) => {
      const { links } = rig(KNOWN, stateful.server, { holdMs: 400 });
      return (who: Person) => links(who, faceOf(who));
    },
  ],
  [
    'clients with sessions',
    (stateful: Stateful) => (who: Person) => sessionRig(stateful.server, { catalog: KNOWN, face: faceOf(who) }).links,
  ],
])('%s', (_name, linksFor) => {
  it('never meet in one session', async () => {
    await assert(
      asyncProperty(array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const world = newWorld(linksFor);
        await play(world, steps);
        await Promise.all(world.work);
        expect(world.leaks).toEqual([]);
        expect(world.stateful.trespasses).toEqual([]);
      }),
      { numRuns: 30, endOnFailure: true },
    );
  }, 60_000);
});

it('would be noticed if they did', async () => {
  const world = newWorld((stateful) => {
    const { links } = sessionRig(stateful.server, { catalog: KNOWN, face: faceOf('alice') });
    return () => links;
  });
  await play(world, [
    { what: 'call', who: 'alice' },
    { what: 'ask', who: 'bob' },
  ]);
  await Promise.all(world.work);
  expect(world.leaks).not.toEqual([]);
  expect(world.stateful.trespasses).toContain('bob in the session of alice');
});
