import { describe, expect, it } from 'vitest';
import { startRig } from './rig.ts';

const DIALECTS = [
  { path: '/v1/chat/completions', dialect: 'openai' },
  { path: '/v1/responses', dialect: 'openai' },
  { path: '/openai/v1/embeddings', dialect: 'openai' },
  { path: '/v1/messages', dialect: 'anthropic' },
  { path: '/anthropic/v1/messages/count_tokens', dialect: 'anthropic' },
] as const;

interface OpenAiProblem {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly code: string;
    readonly param: string | null;
  };
}
interface AnthropicProblem {
  readonly type: 'error';
  readonly error: { readonly type: string; readonly message: string; readonly code: string };
}

/** Reads the problem strictly in the dialect, so that a body of the other one fails. */
async function problemOf(
  response: Response,
  dialect: 'openai' | 'anthropic',
): Promise<{ code: string; message: string }> {
  expect(response.headers.get('content-type')).toBe('application/json');
  if (dialect === 'openai') {
    const body: OpenAiProblem = await response.json();
    expect(Object.keys(body)).toEqual(['error']);
    expect(typeof body.error.type).toBe('string');
    return body.error;
  }
  const body: AnthropicProblem = await response.json();
  expect(body.type).toBe('error');
  return body.error;
}

const rigOf = () => startRig({ providers: [{ name: 'echo' }], requestBytes: 2000 });

const BAD_BODIES: [string, RequestInit, number, string, string][] = [
  ['unparsable', { body: '{"model":"echo/x",}' }, 400, 'invalid_request', 'position 18'],
  ['empty', { body: '' }, 400, 'invalid_request', 'is empty'],
  ['a list', { body: '[]' }, 400, 'invalid_request', 'must be a JSON object'],
  ['a string', { body: '"model"' }, 400, 'invalid_request', 'must be a JSON object'],
  ['null', { body: 'null' }, 400, 'invalid_request', 'must be a JSON object'],
  ['without model', { body: '{"messages":[]}' }, 400, 'invalid_request', '"model" is missing'],
  ['with a model that is no string', { body: '{"model":7}' }, 400, 'invalid_request', '"model" must be a string'],
  ['with an empty model', { body: '{"model":""}' }, 400, 'invalid_request', '"model" is empty'],
  ['with model twice', { body: '{"model":"echo/a","model":"b"}' }, 400, 'invalid_request', '"model" twice'],
  [
    'with model twice, once in disguise',
    { body: '{"model":"a","mod\\u0065l":"b"}' },
    400,
    'invalid_request',
    '"model" twice',
  ],
  ['oversized', { body: JSON.stringify({ model: 'x'.repeat(2000) }) }, 413, 'request_too_large', '2000 bytes'],
  [
    'of text',
    { body: '{}', headers: { 'content-type': 'text/plain' } },
    415,
    'unsupported_media_type',
    'application/json',
  ],
  ['compressed', { body: '{}', headers: { 'content-encoding': 'br' } }, 415, 'unsupported_media_type', 'uncompressed'],
  ['with bad tags', { body: '{}', headers: { 'x-sallyport-tags': 'no' } }, 400, 'invalid_request', 'x-sallyport-tags'],
  ['for a model not granted', { body: '{"model":"openai/gpt-4o"}' }, 403, 'model_not_allowed', 'GET /v1/models'],
];

describe.each(DIALECTS)('POST $path', ({ path, dialect }) => {
  it.each(BAD_BODIES)('refuses a body %s', async (_what, init, status, code, words) => {
    const rig = rigOf();
    const response = await rig.fetch(path, { method: 'POST', ...init });
    expect(response.status).toBe(status);
    const problem = await problemOf(response, dialect);
    expect(problem.code).toBe(code);
    expect(problem.message).toContain(words);
    const outcome = code === 'model_not_allowed' ? 'denied' : 'error';
    expect(await rig.event()).toMatchObject({ kind: 'llm.call', outcome, reason: code, status, key_id: 'vk_1' });
    expect((await rig.event()).provider).toBeUndefined();
  });

  it('refuses other methods', async () => {
    const response = await rigOf().fetch(path, { method: 'GET' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await problemOf(response, dialect)).code).toBe('method_not_allowed');
  });

  it('refuses an unknown key, without an event of a call', async () => {
    const rig = rigOf();
    const headers = { authorization: 'Bearer vk-unknown-key' };
    const response = await rig.fetch(path, { method: 'POST', body: '{"model":"echo/x"}', headers });
    expect(response.status).toBe(401);
    expect((await problemOf(response, dialect)).code).toBe('invalid_key');
    expect(rig.events.map(({ kind }) => kind)).toEqual(['auth.denied']);
  });
});

it('serves each vendor under its own prefix only', async () => {
  const rig = rigOf();
  expect((await rig.fetch('/openai/v1/messages', { method: 'POST', body: '{}' })).status).toBe(404);
  expect((await rig.fetch('/anthropic/v1/chat/completions', { method: 'POST', body: '{}' })).status).toBe(404);
});

it('says where a model is served that does not speak the dialect', async () => {
  const rig = startRig({ providers: [{ name: 'anthropic' }, { name: 'openai' }], grants: { anthropic: {} } });
  const response = await rig.fetch('/v1/chat/completions', {
    method: 'POST',
    body: '{"model":"anthropic/claude-sonnet-4-5"}',
  });
  expect(response.status).toBe(400);
  expect((await problemOf(response, 'openai')).message).toContain('translation is not available yet; use /v1/messages');
});

it('does not tell a provider that is not granted from one that does not exist', async () => {
  const rig = startRig({ providers: [{ name: 'openai' }, { name: 'echo' }], grants: { echo: { models: ['e*'] } } });
  const answers = await Promise.all(
    ['openai/x', 'nowhere/x', 'echo/x', 'x'].map(async (model) => {
      const response = await rig.fetch('/v1/responses', { method: 'POST', body: JSON.stringify({ model }) });
      return [response.status, (await response.text()).replaceAll(model, 'MODEL')];
    }),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]?.[0]).toBe(403);
});

it('says that a provider of unknown type needs a base_url, and that one without a key needs one', async () => {
  const rig = startRig({ providers: [{ name: 'mystery' }, { name: 'openai' }] });
  const say = async (model: string): Promise<string> => {
    const response = await rig.fetch('/v1/responses', { method: 'POST', body: JSON.stringify({ model }) });
    expect(response.status).toBe(503);
    return response.text();
  };
  expect(await say('mystery/x')).toContain('has no base_url');
  expect(await say('openai/x')).toContain('has no key configured');
});

describe('when nothing can be recorded', () => {
  const body = JSON.stringify({ model: 'echo/x', messages: [{ role: 'user', content: 'secret answer' }] });

  it.each([
    ['batched', 'broken'],
    ['durable', 'broken'],
  ] as const)('%s, the answer is withheld', async (durability, recorder) => {
    const rig = startRig({ providers: [{ name: 'echo' }], durability, recorder });
    const response = await rig.fetch('/v1/chat/completions', { method: 'POST', body });
    expect(response.status).toBe(503);
    const text = await response.text();
    expect(text).toContain('audit_unavailable');
    expect(text).not.toContain('secret answer');
  });

  it('a full buffer stops the next call before it reaches the provider', async () => {
    const rig = startRig({
      providers: [{ name: 'openai', keys: [{ value: 'k', weight: 1, models: ['*'] }] }],
      network: () => Response.json({}),
      recorder: 'full',
    });
    for (let call = 0; call < 3; call++) {
      const response = await rig.fetch('/v1/responses', { method: 'POST', body: '{"model":"gpt-5"}' });
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    }
    expect(rig.sent.length).toBe(1);
    // Other tests of this isolate must not meet the pause.
    await scheduler.wait(1100);
  });
});
