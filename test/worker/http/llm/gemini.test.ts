// Gemini's dialect: Google's own SDK against the built-in provider, and what reaches a provider that is called.
import { ApiError, GoogleGenAI } from '@google/genai';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { KEY, startRig, type Rig, type RigOptions } from './rig.ts';

const PATH = '/genai/v1beta/models';
const contents = [{ role: 'user', parts: [{ text: 'Two doors, never open together.' }] }];
const usageMetadata = { promptTokenCount: 1000, candidatesTokenCount: 100, thoughtsTokenCount: 20 };
const answer = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'Hello!' }] }, finishReason: 'STOP' }],
  usageMetadata,
  modelVersion: 'gemini-2.5-flash',
};
/** 1000 × 300 + 120 × 2,500 nano-dollars */
const COST = 600_000;

const rigOf = (network?: RigOptions['network']): Rig =>
  startRig({
    providers: [
      { name: 'gemini', keys: [{ value: 'AIza-provider', weight: 1, models: ['*'] }] },
      { name: 'echo' },
      { name: 'openai', keys: [{ value: 'sk-1', weight: 1, models: ['*'] }] },
    ],
    grants: {
      gemini: { models: ['gemini-2.5-flash', 'gemini-embedding-001'] },
      echo: { models: ['echo'] },
      openai: {},
    },
    ...(network !== undefined && { network }),
  });
const post = (rig: Rig, call: string, body: unknown): Promise<Response> =>
  rig.fetch(`${PATH}/${call}`, {
    method: 'POST',
    headers: { 'x-goog-api-key': KEY, authorization: '' },
    body: JSON.stringify(body),
  });

const sdkOf = (rig: Rig, apiKey = KEY): GoogleGenAI => {
  // It takes no `fetch` of one's own.
  vi.stubGlobal('fetch', rig.sdkFetch);
  return new GoogleGenAI({ apiKey, httpOptions: { baseUrl: 'http://sallyport/genai' } });
};

afterEach(() => vi.unstubAllGlobals());

describe("Google's SDK", () => {
  it('generates, and the call is on the record', async () => {
    const rig = rigOf();
    const response = await sdkOf(rig).models.generateContent({ model: 'echo/echo', contents });
    expect(response.text).toBe('Two doors, never open together.');
    expect(await rig.event()).toMatchObject({
      outcome: 'ok',
      provider: 'echo',
      model: 'echo/echo',
      response_model: 'echo',
      input_tokens: response.usageMetadata?.promptTokenCount,
      output_tokens: response.usageMetadata?.candidatesTokenCount,
      usage_certainty: 'exact',
      cost_nano_usd: 0,
    });
  });

  it('streams', async () => {
    const rig = rigOf();
    const pieces: string[] = [];
    for await (const piece of await sdkOf(rig).models.generateContentStream({ model: 'echo', contents }))
      pieces.push(piece.text ?? '');
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.join('')).toBe('Two doors, never open together.');
    expect(await rig.event()).toMatchObject({ outcome: 'ok', stream: true, usage_certainty: 'exact' });
  });

  it('calls functions, whose ids are on the record', async () => {
    const rig = rigOf();
    const response = await sdkOf(rig).models.generateContent({
      model: 'echo',
      contents: 'call look_up {"word":"gate"}',
      config: { tools: [{ functionDeclarations: [{ name: 'look_up' }] }] },
    });
    const [call] = response.functionCalls ?? [];
    expect(call).toMatchObject({ name: 'look_up', args: { word: 'gate' } });
    expect(await rig.event()).toMatchObject({ tool_use_id: call?.id });
  });

  it('counts, embeds and lists', async () => {
    const sdk = sdkOf(rigOf());
    expect((await sdk.models.countTokens({ model: 'echo/echo', contents })).totalTokens).toBe(8);
    const embedded = await sdk.models.embedContent({ model: 'echo/echo', contents: ['a', 'b'] });
    expect(embedded.embeddings).toHaveLength(2);
    const names: (string | undefined)[] = [];
    for await (const model of await sdk.models.list()) names.push(model.name);
    expect(names).toEqual(['models/gemini/gemini-2.5-flash', 'models/gemini/gemini-embedding-001', 'models/echo/echo']);
    expect((await sdk.models.get({ model: 'echo/echo' })).name).toBe('models/echo/echo');
  });

  it('raises the error it knows', async () => {
    const wrongKey = sdkOf(rigOf(), 'no-such-key').models.generateContent({ model: 'echo', contents });
    await expect(wrongKey).rejects.toThrow(ApiError);
    await expect(wrongKey).rejects.toMatchObject({ status: 401, message: expect.stringContaining('UNAUTHENTICATED') });
    const wrongModel = sdkOf(rigOf()).models.generateContent({ model: 'gemini/gemini-9', contents });
    await expect(wrongModel).rejects.toMatchObject({ status: 403 });
  });
});

describe('what the provider is sent', () => {
  it('is the body as it came, on its own path, with its own key', async () => {
    const rig = rigOf(() => Response.json(answer));
    const text = '{"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"seed": 12345678901234567890}}';
    const response = await rig.fetch(`${PATH}/gemini/gemini-2.5-flash:generateContent?alt=json`, {
      method: 'POST',
      headers: { 'x-goog-api-key': KEY, authorization: '', 'x-goog-api-client': 'google-genai-sdk/3.1.0' },
      body: text,
    });
    expect(await response.json()).toEqual(answer);
    expect(response.headers.get('x-sallyport-cost-usd')).toBe('0.0006');
    const [sent] = rig.sent;
    expect(sent?.url).toBe(
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent?alt=json',
    );
    expect(sent?.body).toBe(text);
    expect(sent?.headers.get('x-goog-api-key')).toBe('AIza-provider');
    expect(sent?.headers.get('x-goog-api-client')).toBe('google-genai-sdk/3.1.0');
    expect(await rig.event()).toMatchObject({ output_tokens: 120, reasoning_tokens: 20, cost_nano_usd: COST });
  });

  it('names the model of the path wherever the body does', async () => {
    const rig = rigOf(() => Response.json({ embeddings: [{ values: [1] }], usageMetadata: { promptTokenCount: 2 } }));
    const content = { parts: [{ text: 'a' }] };
    const model = 'models/gemini/gemini-embedding-001';
    const response = await post(rig, 'gemini/gemini-embedding-001:batchEmbedContents', {
      requests: [{ model, content }, { content }],
    });
    expect(response.status).toBe(200);
    expect(JSON.parse(rig.sent[0]?.body ?? '')).toEqual({
      requests: [{ model: 'models/gemini-embedding-001', content }, { content }],
    });
  });

  it.each([
    ['at the top', 'gemini-2.5-flash:generateContent', { model: 'models/gemini-2.5-pro', contents }],
    ['in a request to count', 'gemini-2.5-flash:countTokens', { generateContentRequest: { model: 'x', contents } }],
    ['in one of many', 'gemini-embedding-001:batchEmbedContents', { requests: [{ model: 'models/gemini-2.5-pro' }] }],
    ['that is no text', 'gemini-2.5-flash:generateContent', { model: 7, contents }],
  ])('is never another model %s', async (_where, call, body) => {
    const rig = rigOf(() => Response.json(answer));
    const response = await post(rig, call, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 400, status: 'INVALID_ARGUMENT' } });
    expect(rig.sent).toHaveLength(0);
  });

  it('keeps the model within its segment of the path', async () => {
    const rig = startRig({
      providers: [{ name: 'gemini', keys: [{ value: 'k', weight: 1, models: ['*'] }] }],
      network: () => Response.json(answer),
    });
    await post(rig, 'gemini/..%2F..%2Ffiles%3Fx:generateContent', { contents });
    expect(rig.sent[0]?.url).toBe(
      'https://generativelanguage.googleapis.com/v1beta/models/..%2F..%2Ffiles%3Fx:generateContent',
    );
  });
});

describe('the forms of a stream', () => {
  const pieces = [
    { candidates: [{ content: { parts: [{ text: 'Hel' }] } }], usageMetadata: { promptTokenCount: 1000 } },
    { ...answer, candidates: [{ content: { parts: [{ text: 'lo!' }] }, finishReason: 'STOP' }] },
  ];

  it('events', async () => {
    const text = pieces.map((piece) => `data: ${JSON.stringify(piece)}\r\n\r\n`).join('');
    const rig = rigOf(() => new Response(text, { headers: { 'content-type': 'text/event-stream' } }));
    const response = await post(rig, 'gemini-2.5-flash:streamGenerateContent?alt=sse', { contents });
    expect(await response.text()).toBe(text);
    expect(await rig.event()).toMatchObject({ outcome: 'ok', stream: true, cost_nano_usd: COST });
  });

  it('one list', async () => {
    const rig = rigOf(() => Response.json(pieces));
    const response = await post(rig, 'gemini-2.5-flash:streamGenerateContent', { contents });
    expect(await response.json()).toEqual(pieces);
    expect(await rig.event()).toMatchObject({ outcome: 'ok', usage_certainty: 'exact', cost_nano_usd: COST });
  });

  it('one that breaks off is a lower bound', async () => {
    const text = `data: ${JSON.stringify(pieces[0])}\r\n\r\n`;
    const rig = rigOf(() => new Response(text, { headers: { 'content-type': 'text/event-stream' } }));
    await (await post(rig, 'gemini-2.5-flash:streamGenerateContent?alt=sse', { contents })).text();
    // 1000 × 300 + 1 × 2,500
    expect(await rig.event()).toMatchObject({
      outcome: 'error',
      reason: 'answer_incomplete',
      usage_certainty: 'lower_bound',
      cost_nano_usd: 302_500,
    });
  });
});

describe('refusals', () => {
  it.each([
    ['a model of another dialect', 'openai/gpt-4o:generateContent', 400, 'INVALID_ARGUMENT'],
    ['a model that is not granted', 'gemini/gemini-2.5-pro:generateContent', 403, 'PERMISSION_DENIED'],
  ])('%s', async (_what, call, status, google) => {
    const response = await post(rigOf(), call, { contents });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code: status, status: google } });
  });

  it.each(['gemini-2.5-flash:predict', 'gemini-2.5-flash', ':generateContent'])('no such call: %s', async (call) => {
    expect((await post(rigOf(), call, { contents })).status).toBe(404);
  });

  it('another method', async () => {
    const response = await rigOf().fetch(`${PATH}/echo:generateContent`, { method: 'DELETE' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, POST');
  });
});
