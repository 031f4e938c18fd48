// The vendors' own SDKs, with only base URL and key changed, against the started gateway.
import Anthropic, * as anthropic from '@anthropic-ai/sdk';
import OpenAI, * as openai from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { startChatProvider, type ChatProvider } from '../../support/scripted-chat-provider.ts';
import { newToolUseId, startScriptedProvider, type ScriptedProvider } from '../../support/scripted-provider.ts';

const KEY = 'vk-e2e-sdk';
const MESSAGES = [{ role: 'user' as const, content: 'What is a sallyport?' }];

function configFor(chatUrl: string, messagesUrl: string): string {
  return `providers:
  - { name: openai, base_url: "${chatUrl}/v1", keys: [{ value: sk-scripted }] }
  - { name: anthropic, base_url: "${messagesUrl}/v1", keys: [{ value: sk-ant-scripted }] }
  - { name: echo }
virtual_keys:
  - key_name: sdk
    key: ${KEY}
    providers:
      - { name: openai, models: ["gpt-*"] }
      - { name: anthropic, models: ["claude-*"] }
      - { name: echo }
`;
}

describe("the vendors' SDKs", () => {
  let chat: ChatProvider;
  let messages: ScriptedProvider;
  let gateway: GatewayProcess;
  const toolUseId = newToolUseId();

  beforeAll(async () => {
    chat = await startChatProvider();
    messages = await startScriptedProvider(({ tools }) =>
      tools === undefined
        ? { type: 'text', text: 'A gate with two doors.' }
        : { type: 'tool_use', id: toolUseId, name: 'look_up', input: { word: 'sallyport' } },
    );
    gateway = await startGateway({ config: configFor(chat.url, messages.url) });
  });
  afterAll(async () => {
    await gateway?.discard();
    await chat?.stop();
    await messages?.close();
  });

  interface Row {
    readonly outcome: string;
    readonly model?: string;
    readonly tool_use_id?: string;
    readonly input_tokens?: number;
    readonly output_tokens?: number;
    readonly cost_nano_usd?: number;
    readonly usage_certainty?: string;
  }

  const auditOf = (model: string, outcome: string): Promise<Row> =>
    eventually(`the audit event of ${model}`, 10_000, async () => {
      const page = (await gateway.admin('/api/audit-events?kind=llm.call&limit=200')) as { items: Row[] };
      return page.items.find((row) => row.model?.endsWith(model) === true && row.outcome === outcome);
    });

  describe.each(['/v1', '/openai/v1'])("OpenAI's at %s", (path) => {
    const client = (apiKey = KEY): OpenAI => new OpenAI({ baseURL: `${gateway.url}${path}`, apiKey, maxRetries: 0 });
    const ask = (model: string, key?: string): Promise<unknown> =>
      client(key).chat.completions.create({ model, messages: MESSAGES });

    it.each(['openai/gpt-4o-mini', 'gpt-4o-mini', 'echo/echo-1'])('completes with %s', async (model) => {
      const answer = await client().chat.completions.create({ model, messages: MESSAGES });
      expect(answer.choices[0]?.message.content).toBeTruthy();
      expect(answer.usage?.total_tokens).toBeGreaterThan(0);
    });

    it.each(['openai/gpt-4o-mini', 'echo/echo-1'])('streams with %s', async (model) => {
      const stream = await client().chat.completions.create({ model, messages: MESSAGES, stream: true });
      let text = '';
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      expect(text).not.toBe('');
    });

    it('embeds and responds through echo', async () => {
      const embedding = await client().embeddings.create({ model: 'echo/echo-1', input: 'a word' });
      expect(embedding.data[0]?.embedding.length).toBeGreaterThan(0);
      const response = await client().responses.create({ model: 'echo/echo-1', input: 'a word' });
      expect(response.output_text).not.toBe('');
    });

    it('cancels the provider when the caller aborts', async () => {
      const before = chat.abandoned();
      const stream = await client().chat.completions.create({
        model: 'openai/gpt-endless',
        messages: MESSAGES,
        stream: true,
      });
      let chunks = 0;
      for await (const _chunk of stream) {
        if (++chunks === 5) stream.controller.abort();
      }
      await eventually('the end of the upstream stream', 10_000, () => (chat.abandoned() > before ? true : undefined));
      const event = await auditOf('gpt-endless', 'cancelled');
      expect(event.usage_certainty).toBe('lower_bound');
    });

    it('lists the models of the key', async () => {
      const ids: string[] = [];
      for await (const model of client().models.list()) ids.push(model.id);
      expect(ids.some((id) => id.endsWith('gpt-4o-mini'))).toBe(true);
      expect(ids.some((id) => id.includes('o9-unlisted'))).toBe(false);
    });

    it("raises the SDK's own error for each refusal", async () => {
      await expect(ask('openai/gpt-4o-mini', 'vk-unknown-key')).rejects.toMatchObject({
        constructor: openai.AuthenticationError,
        code: 'invalid_key',
      });
      await expect(ask('openai/o9-unlisted')).rejects.toMatchObject({
        constructor: openai.PermissionDeniedError,
        code: 'model_not_allowed',
      });
      const limited = expect(ask('openai/gpt-limited')).rejects;
      await limited.toMatchObject({ constructor: openai.RateLimitError, code: 'rate_limit_exceeded' });
      await expect(ask('openai/gpt-strict')).rejects.toMatchObject({
        constructor: openai.BadRequestError,
        code: 'context_length_exceeded',
      });
    });
  });

  describe.each(['', '/anthropic'])("Anthropic's at '%s'", (path) => {
    const client = (apiKey = KEY): Anthropic =>
      new Anthropic({ baseURL: `${gateway.url}${path}`, apiKey, maxRetries: 0 });
    const request = { max_tokens: 100, messages: MESSAGES };
    const ask = (model: string, key?: string): Promise<unknown> => client(key).messages.create({ ...request, model });

    it.each(['anthropic/claude-sonnet-4-5', 'claude-sonnet-4-5', 'echo/echo-1'])('completes with %s', async (model) => {
      const answer = await client().messages.create({ ...request, model });
      expect(answer.content[0]).toMatchObject({ type: 'text' });
      expect(answer.usage.output_tokens).toBeGreaterThan(0);
    });

    it('streams, and the audit event holds usage, cost and the id of the tool use', async () => {
      const tools = [{ name: 'look_up', input_schema: { type: 'object' as const } }];
      const stream = client().messages.stream({ ...request, model: 'claude-sonnet-4-5', tools });
      const answer = await stream.finalMessage();
      expect(answer.content).toEqual([
        expect.objectContaining({ type: 'tool_use', id: toolUseId, input: { word: 'sallyport' } }),
      ]);
      const event = await eventually('the audit event', 10_000, async () => {
        const page = (await gateway.admin('/api/audit-events?kind=llm.call&limit=200')) as { items: Row[] };
        return page.items.find((row) => row.tool_use_id?.includes(toolUseId) === true);
      });
      expect(event).toMatchObject({ outcome: 'ok', output_tokens: 25, usage_certainty: 'exact' });
      expect(event.cost_nano_usd).toBeGreaterThan(0);
    });

    it('streams through echo', async () => {
      const stream = client().messages.stream({ ...request, model: 'echo/echo-1' });
      expect(await stream.finalText()).toContain('sallyport');
    });

    it('counts tokens', async () => {
      const { input_tokens: count } = await client().messages.countTokens({
        model: 'claude-sonnet-4-5',
        messages: MESSAGES,
      });
      expect(count).toBe(42);
    });

    it('lists the models of the key', async () => {
      const ids: string[] = [];
      for await (const model of client().models.list()) ids.push(model.id);
      expect(ids.length).toBeGreaterThan(0);
    });

    it("raises the SDK's own error for each refusal", async () => {
      await expect(ask('claude-sonnet-4-5', 'vk-unknown-key')).rejects.toBeInstanceOf(anthropic.AuthenticationError);
      await expect(ask('anthropic/other')).rejects.toBeInstanceOf(anthropic.PermissionDeniedError);
    });
  });

  it("gives the provider its own credential and never the caller's", () => {
    expect(chat.seen.length).toBeGreaterThan(0);
    for (const { headers } of chat.seen) expect(headers.authorization).toBe('Bearer sk-scripted');
    for (const { headers } of messages.requests) expect(headers['x-api-key']).toBe('sk-ant-scripted');
    expect(JSON.stringify([chat.seen, messages.requests])).not.toContain(KEY);
  });
});
