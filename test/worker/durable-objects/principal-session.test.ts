// The object that holds a principal's sessions at legacy servers, over the calls between objects and real servers.
import { env, exports } from 'cloudflare:workers';
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeAll, expect, inject, it, vi } from 'vitest';
import '../../support/provided-context.ts';
import { at, isObject } from '../../../src/lib/json-value.ts';
import type { Face } from '../../../src/mcp/links.ts';
import type { Spoken } from '../../../src/mcp/protocol/message.ts';
import type { PrincipalOutcome, PrincipalSessionPort } from '../../../src/mcp/upstream/principal-port.ts';
import type { Upstream } from '../../../src/policy/snapshot.ts';
import { createServices } from '../../../src/services.ts';
import { createPrincipalSessions } from '../../../src/stores/objects/principal-session.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const FACE: Face = {
  info: { name: 'client', version: '1' },
  capabilities: { elicitation: { form: {} }, sampling: {} },
};
let legacyUpstream: Upstream | undefined;
let everythingUpstream: Upstream | undefined;
const legacy = (): Upstream => legacyUpstream ?? expect.fail();
const everything = (): Upstream => everythingUpstream ?? expect.fail();

beforeAll(async () => {
  const servers = [
    { name: 'old', type: 'http', url: `${inject('legacyUrl')}/mcp` },
    { name: 'everything', type: 'http', url: `${inject('everythingUrl')}/mcp` },
  ];
  const response = await exports.default.fetch(
    new Request('http://localhost/api/config', {
      method: 'PUT',
      headers: { authorization: 'Bearer test-admin-token', 'content-type': 'application/json' },
      body: JSON.stringify({ mcp: { servers } }),
    }),
  );
  expect([response.status, await response.text()]).toEqual([200, expect.any(String)]);
  const { upstreams } = await createServices(env, { waitUntil: () => {} }).snapshot();
  legacyUpstream = upstreams.get('old');
  everythingUpstream = upstreams.get('everything');
});

const sessions = createPrincipalSessions(env);
const stubOf = (name: string) => env.PRINCIPAL_SESSION.get(env.PRINCIPAL_SESSION.idFromName(name));

let calls = 0;
function call(
  session: PrincipalSessionPort,
  upstream: Upstream,
  tool: string,
  given: object = {},
  hear: (said: Spoken) => void = () => {},
): Promise<PrincipalOutcome> {
  calls += 1;
  const params = { name: tool, arguments: given };
  const request = { callId: `c${calls}`, upstream, face: FACE, method: 'tools/call', params, wantsProgress: true };
  return session.request(request, hear);
}

async function sessionOf(outcome: Promise<PrincipalOutcome>): Promise<unknown> {
  const { answer } = (await outcome) as Extract<PrincipalOutcome, { kind: 'answer' }>;
  const [block] = at(answer, 'result', 'content') as { text: string }[];
  return at(JSON.parse(block?.text ?? '{}'), 'sessionId');
}

it('keeps one session for all calls, past the end of its memory', async () => {
  const session = sessions('keeps');
  const first = await sessionOf(call(session, legacy(), 'headers'));
  expect(first).toEqual(expect.any(String));
  expect(await sessionOf(call(session, legacy(), 'headers'))).toBe(first);
  // Until the stream of the session is let go.
  await scheduler.wait(4_000);
  await evictDurableObject(stubOf('keeps'));
  expect(await sessionOf(call(session, legacy(), 'headers'))).toBe(first);
  expect(await sessionOf(call(sessions('another'), legacy(), 'headers'))).not.toBe(first);
});

it('tells progress across objects, all of it before the answer', async () => {
  const heard: unknown[] = [];
  const outcome = await call(sessions('progress'), legacy(), 'slow', { ms: 40 }, ({ params }) => {
    heard.push(params?.['progress']);
  });
  expect(outcome).toMatchObject({ kind: 'answer', answer: { result: { content: [{ text: 'done' }] } } });
  expect(heard).toEqual([1, 2, 3, 4]);
});

it('holds a call that asks, and goes on with it', async () => {
  const session = sessions('asks');
  const asked = await call(session, everything(), 'trigger-elicitation-request');
  if (asked.kind !== 'asks') throw new Error(JSON.stringify(asked));
  const [[key, question] = []] = Object.entries(asked.questions);
  expect(question?.method).toBe('elicitation/create');
  const kept = session.keepHeld(asked.handle);
  const resumption = {
    callId: 'resumed',
    handle: asked.handle,
    upstream: everything(),
    method: 'tools/call',
    responses: { [String(key)]: { action: 'accept', content: { name: 'Ada' } } },
  };
  const done = await session.resume(resumption, () => {});
  expect(JSON.stringify(done)).toContain('Ada');
  await kept;
  expect(await session.resume(resumption, () => {})).toEqual({ kind: 'gone' });
});

it('cancels a call at the server', async () => {
  const session = sessions('cancels');
  const slow = call(session, legacy(), 'slow', { ms: 20_000 });
  await vi.waitFor(async () => {
    await session.cancel(`c${calls}`);
    expect(await Promise.race([slow, scheduler.wait(50)])).toMatchObject({ kind: 'failed' });
  });
});

it('ends what nobody used for long, at the server too, and forgets everything', async () => {
  const session = sessions('forgets');
  await call(session, legacy(), 'echo', { text: 'x' });
  const stub = stubOf('forgets');
  const count = () =>
    runInDurableObject(
      stub,
      (_object, state) => state.storage.sql.exec('SELECT * FROM upstream_sessions').toArray().length,
    );
  expect(await count()).toBe(1);
  // The alarm that looks too early leaves it alone.
  await runDurableObjectAlarm(stub);
  expect(await count()).toBe(1);
  await runInDurableObject(stub, (_object, state) => {
    state.storage.sql.exec('UPDATE upstream_sessions SET used_at = 0');
  });
  await runDurableObjectAlarm(stub);
  expect(await count()).toBe(0);
  const state: unknown = await (await fetch(`${inject('legacyUrl')}/control/state`)).json();
  expect(isObject(state) && state['methods']).toContain('http DELETE');
});
