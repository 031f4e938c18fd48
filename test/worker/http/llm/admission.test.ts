// No way leads to a provider past the limits of a key.
import { expect, it } from 'vitest';
import { LimitsUnavailable, type Admission } from '../../../../src/budget/admission.ts';
import { err } from '../../../../src/lib/result.ts';
import { countedTickets } from '../../counted-tickets.ts';
import { LIMIT, startRig, type Rig } from './rig.ts';

const MESSAGES = [{ role: 'user', content: 'Two doors.' }];
const CONTENTS = [{ role: 'user', parts: [{ text: 'Two doors.' }] }];
const CHAT = { model: 'openai/gpt-4o', messages: MESSAGES };
const RESPONSES = { model: 'openai/gpt-4o', input: 'Two doors.' };
const EMBEDDINGS = { model: 'openai/text-embedding-3-small', input: 'Two doors.' };
const CLAUDE = { model: 'anthropic/claude-sonnet-4-5', max_tokens: 9, messages: MESSAGES };
const GEMINI = 'models/gemini/gemini-2.5-flash';

const CALLS: readonly (readonly [string, object])[] = [
  ...['/v1', '/openai/v1'].flatMap((base) => [
    [`${base}/chat/completions`, CHAT] as const,
    [`${base}/chat/completions`, { ...CHAT, stream: true }] as const,
    [`${base}/responses`, RESPONSES] as const,
    [`${base}/embeddings`, EMBEDDINGS] as const,
  ]),
  ...['/v1', '/anthropic/v1'].flatMap((base) => [
    [`${base}/messages`, CLAUDE] as const,
    [`${base}/messages/count_tokens`, CLAUDE] as const,
  ]),
  ...['/genai/v1', '/genai/v1beta'].flatMap((base) => [
    [`${base}/${GEMINI}:generateContent`, { contents: CONTENTS }] as const,
    [`${base}/${GEMINI}:streamGenerateContent`, { contents: CONTENTS }] as const,
    [`${base}/${GEMINI}:countTokens`, { contents: CONTENTS }] as const,
    [`${base}/${GEMINI}:embedContent`, { content: CONTENTS[0] }] as const,
    [`${base}/${GEMINI}:batchEmbedContents`, { requests: [{ content: CONTENTS[0] }] }] as const,
  ]),
];

const full: Admission = {
  admit: async () => err({ limit: LIMIT, spent: 9, reserved: 0, need: 1 }),
  standings: () => [],
};

function rigOf(admission: Admission): Rig {
  const keys = [{ value: 'sk-1', weight: 1, models: ['*'] }];
  return startRig({
    providers: [
      { name: 'openai', keys },
      { name: 'anthropic', keys },
      { name: 'gemini', keys },
    ],
    network: () => Response.json({ object: 'what it is does not matter', data: [{ id: 'gpt-4o' }] }),
    admission,
  });
}

it.each(CALLS)('%s', async (path, body) => {
  const init = { method: 'POST', body: JSON.stringify(body) };
  const bounded = rigOf(full);
  expect((await bounded.fetch(path, init)).status).toBe(429);
  expect(bounded.sent).toEqual([]);

  const tickets = countedTickets();
  const rig = rigOf(tickets);
  expect((await rig.fetch(path, init)).status).toBe(200);
  expect(rig.sent).toHaveLength(1);
  expect([tickets.admitted, tickets.used.map(({ requests }) => requests)]).toEqual([1, [1]]);
});

it.each(['/v1/models', '/openai/v1/models', '/anthropic/v1/models', '/genai/v1beta/models'])(
  'GET %s is the list of the gateway, asked for once in a while and counted for nobody',
  async (path) => {
    const rig = rigOf(full);
    await rig.fetch(path);
    const asked = rig.sent.length;
    expect((await rig.fetch(path)).status).toBe(200);
    expect(rig.sent).toHaveLength(asked);
  },
);

it('nothing passes while limits cannot be checked', async () => {
  const rig = rigOf({ ...full, admit: () => Promise.reject(new LimitsUnavailable('out of reach')) });
  const answer = await rig.fetch('/v1/chat/completions', { method: 'POST', body: JSON.stringify(CHAT) });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await answer.json()).toMatchObject({ error: { code: 'overloaded' } });
  expect(rig.sent).toEqual([]);
  expect(rig.events).toMatchObject([{ outcome: 'error', reason: 'overloaded', status: 503 }]);
});
