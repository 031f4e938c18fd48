import { expect, it } from 'vitest';
import { startRig } from './rig.ts';

interface ModelList {
  readonly data: readonly { readonly id: string }[];
}

async function idsAt(rig: ReturnType<typeof startRig>, path: string): Promise<string[]> {
  const response = await rig.fetch(path);
  expect(response.status).toBe(200);
  const list: ModelList = await response.json();
  return list.data.map(({ id }) => id);
}

const keys = [{ value: 'sk', weight: 1, models: ['*'] }];
const listOf = (...ids: string[]): Response => Response.json({ data: ids.map((id) => ({ id })) });

it('unites what is granted, asks only for patterns, and remembers for a while', async () => {
  const rig = startRig({
    providers: [
      { name: 'openai', keys },
      { name: 'anthropic', keys },
      { name: 'groq', keys: [{ value: 'sk', weight: 1, models: ['llama-*'] }] },
      { name: 'mistral', keys },
    ],
    grants: {
      openai: { models: ['gpt-*', 'o3'] },
      anthropic: {},
      groq: { models: ['llama-3', 'whisper'] },
    },
    network: (request) =>
      request.url.includes('openai') ? listOf('gpt-4o', 'gpt-5', 'dall-e-3') : listOf('claude-sonnet-4-5'),
  });
  const expected = ['openai/o3', 'openai/gpt-4o', 'openai/gpt-5', 'anthropic/claude-sonnet-4-5', 'groq/llama-3'];
  expect(await idsAt(rig, '/v1/models')).toEqual(expected);
  expect(await idsAt(rig, '/v1/models')).toEqual(expected);
  expect(rig.sent.map(({ url }) => url)).toEqual([
    'https://api.openai.com/v1/models',
    'https://api.anthropic.com/v1/models?limit=1000',
  ]);
  expect(rig.sent[1]?.headers.get('x-api-key')).toBe('sk');
  expect(rig.sent[1]?.headers.get('anthropic-version')).toBe('2023-06-01');

  expect(await idsAt(rig, '/anthropic/v1/models')).toEqual(['anthropic/claude-sonnet-4-5']);
  expect(await idsAt(rig, '/openai/v1/models')).toEqual(expected.filter((id) => !id.startsWith('anthropic')));
});

it.each<[string, () => Response | Promise<Response>]>([
  ['refuses', () => new Response('{}', { status: 500 })],
  ['answers HTML', () => new Response('<html>')],
  ['is out of reach', () => Promise.reject(new Error('Network connection lost.'))],
  ['hangs', () => new Promise<Response>(() => {})],
])('is not spoilt by a provider that %s', async (_what, misbehave) => {
  const rig = startRig({
    providers: [
      { name: 'openai', keys },
      { name: 'mistral', keys },
    ],
    network: (request) => {
      if (request.url.includes('openai')) return listOf('gpt-4o');
      return Promise.race([
        misbehave(),
        new Promise<never>((_, reject) => {
          request.signal.addEventListener('abort', () => reject(request.signal.reason));
        }),
      ]);
    },
  });
  expect(await idsAt(rig, '/v1/models')).toEqual(['openai/gpt-4o']);
});

it('is empty for a key without providers', async () => {
  const rig = startRig({ providers: [{ name: 'openai', keys }], grants: {} });
  expect(await idsAt(rig, '/v1/models')).toEqual([]);
});

it('has each shape, and a problem in each', async () => {
  const rig = startRig({ providers: [{ name: 'echo' }] });
  expect(await (await rig.fetch('/v1/models')).json()).toEqual({
    object: 'list',
    data: [{ id: 'echo/echo', object: 'model', created: 0, owned_by: 'echo' }],
  });
  const headers = { 'anthropic-version': '2023-06-01' };
  expect(await (await rig.fetch('/v1/models', { headers })).json()).toMatchObject({
    has_more: false,
    first_id: 'echo/echo',
    data: [{ id: 'echo/echo', type: 'model' }],
  });
  const missing = await rig.fetch('/v1/models/echo%2Fnone', { headers });
  expect([missing.status, await missing.json()]).toMatchObject([
    404,
    { type: 'error', error: { code: 'model_not_found' } },
  ]);
  const wrong = await rig.fetch('/openai/v1/models', { method: 'DELETE' });
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET']);
});
