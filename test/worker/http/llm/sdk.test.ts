// The vendors' own SDKs against the built-in provider.
import Anthropic, * as anthropic from '@anthropic-ai/sdk';
import OpenAI, * as openai from 'openai';
import { describe, expect, it } from 'vitest';
import { KEY, startRig, type Rig } from './rig.ts';

const rigOf = (): Rig => startRig({ providers: [{ name: 'echo' }], grants: { echo: { models: ['echo', 'other'] } } });
const openaiOf = (rig: Rig, baseURL = 'http://sallyport/v1') =>
  new OpenAI({ apiKey: KEY, baseURL, fetch: rig.sdkFetch, maxRetries: 0 });
const anthropicOf = (rig: Rig, baseURL = 'http://sallyport') =>
  new Anthropic({ apiKey: KEY, baseURL, fetch: rig.sdkFetch, maxRetries: 0 });

const MESSAGES = [{ role: 'user' as const, content: 'Two doors, never open together.' }];
const CALL = [{ role: 'user' as const, content: 'call look_up {"word":"gate"}' }];

describe("OpenAI's SDK", () => {
  const tools = [{ type: 'function' as const, function: { name: 'look_up', parameters: {} } }];

  it('completes, and learns the cost', async () => {
    const rig = rigOf();
    const { data, response } = await openaiOf(rig)
      .chat.completions.create({ model: 'echo/echo', messages: MESSAGES })
      .withResponse();
    expect(data.choices[0]?.message.content).toBe('Two doors, never open together.');
    expect(data.model).toBe('echo');
    expect(response.headers.get('x-sallyport-cost-usd')).toBe('0');
    expect(await rig.event()).toMatchObject({
      outcome: 'ok',
      provider: 'echo',
      model: 'echo/echo',
      response_model: 'echo',
      stream: false,
      input_tokens: data.usage?.prompt_tokens,
      output_tokens: data.usage?.completion_tokens,
      usage_certainty: 'exact',
      cost_nano_usd: 0,
      status: 200,
      team: 'eng',
      attempt: 1,
    });
  });

  it('streams, with usage when it asks for it', async () => {
    const rig = rigOf();
    const stream = openaiOf(rig, 'http://sallyport/openai/v1').chat.completions.stream({
      model: 'echo',
      messages: MESSAGES,
      stream_options: { include_usage: true },
    });
    let pieces = 0;
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) pieces++;
    expect(pieces).toBeGreaterThan(3);
    expect((await stream.finalChatCompletion()).choices[0]?.message.content).toBe('Two doors, never open together.');
    expect(await rig.event()).toMatchObject({
      outcome: 'ok',
      stream: true,
      usage_certainty: 'exact',
      cost_nano_usd: 0,
    });
  });

  it.each([true, false])('gets a tool call and hands in its result, streaming: %s', async (stream) => {
    const rig = rigOf();
    const client = openaiOf(rig);
    const request = { model: 'echo', messages: CALL, tools };
    const answer = stream
      ? await client.chat.completions.stream(request).finalChatCompletion()
      : await client.chat.completions.create(request);
    const call = answer.choices[0]?.message.tool_calls?.[0];
    expect(call).toMatchObject({ type: 'function', function: { name: 'look_up', arguments: '{"word":"gate"}' } });
    expect((await rig.event()).tool_use_id).toBe(call?.id);

    const next = await client.chat.completions.create({
      ...request,
      messages: [...CALL, { role: 'tool', tool_call_id: call?.id ?? '', content: 'call look_up {}: a door' }],
    });
    expect(next.choices[0]?.message.content).toBe('call look_up {}: a door');
  });

  it.each([true, false])('uses the Responses API, streaming: %s', async (stream) => {
    const rig = rigOf();
    const client = openaiOf(rig);
    const text = stream
      ? await client.responses.stream({ model: 'echo', input: 'hello there' }).finalResponse()
      : await client.responses.create({ model: 'echo', input: [{ role: 'user', content: 'hello there' }] });
    expect(text.output_text).toBe('hello there');
    expect(await rig.event()).toMatchObject({ outcome: 'ok', usage_certainty: 'exact', stream });

    const responseTools = [{ type: 'function' as const, name: 'look_up', parameters: {}, strict: false }];
    const request = { model: 'echo', input: 'call look_up {"word":"gate"}', tools: responseTools };
    const called = stream
      ? await client.responses.stream(request).finalResponse()
      : await client.responses.create(request);
    expect(called.output[0]).toMatchObject({ type: 'function_call', name: 'look_up', arguments: '{"word":"gate"}' });
  });

  it('embeds, the same text to the same vector', async () => {
    const client = openaiOf(rigOf());
    const [first, second] = await Promise.all(
      [undefined, 'float' as const].map((encoding_format) =>
        client.embeddings.create({
          model: 'echo',
          input: ['gate', 'wall'],
          dimensions: 8,
          ...(encoding_format && { encoding_format }),
        }),
      ),
    );
    expect(first?.data[0]?.embedding).toHaveLength(8);
    expect(first?.data[0]?.embedding).not.toEqual(first?.data[1]?.embedding);
    expect(first?.data.map(({ embedding }) => Array.from(embedding))).toEqual(
      second?.data.map(({ embedding }) => embedding),
    );
  });

  it('lists models and finds one', async () => {
    const client = openaiOf(rigOf());
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toEqual(['echo/echo', 'echo/other']);
    expect(await client.models.retrieve('echo/other')).toMatchObject({ id: 'echo/other', owned_by: 'echo' });
    await expect(client.models.retrieve('echo/secret')).rejects.toThrow(openai.NotFoundError);
  });

  it('reads errors as the classes it has for them', async () => {
    const client = openaiOf(rigOf());
    await expect(client.chat.completions.create({ model: 'gpt-4o', messages: MESSAGES })).rejects.toThrow(
      openai.PermissionDeniedError,
    );
    await expect(client.chat.completions.create({ model: 'echo', messages: [] })).rejects.toThrow(
      openai.BadRequestError,
    );
    const stranger = new OpenAI({ apiKey: 'vk-stranger', baseURL: 'http://sallyport/v1', fetch: rigOf().sdkFetch });
    await expect(stranger.models.list()).rejects.toThrow(openai.AuthenticationError);
  });
});

describe("Anthropic's SDK", () => {
  const tools = [{ name: 'look_up', input_schema: { type: 'object' as const } }];
  const request = { model: 'echo/echo', max_tokens: 100 };

  it('completes, counts and streams', async () => {
    const rig = rigOf();
    const client = anthropicOf(rig);
    const message = await client.messages.create({ ...request, messages: MESSAGES });
    expect(message.content).toEqual([{ type: 'text', text: 'Two doors, never open together.' }]);
    const counted = await client.messages.countTokens({ model: 'echo', messages: MESSAGES });
    expect(counted.input_tokens).toBe(message.usage.input_tokens);

    const stream = client.messages.stream({ ...request, messages: MESSAGES });
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect(new Set(types)).toEqual(
      new Set([
        'message_start',
        'content_block_start',
        'content_block_delta',
        'content_block_stop',
        'message_delta',
        'message_stop',
      ]),
    );
    expect((await stream.finalMessage()).usage).toMatchObject({ output_tokens: message.usage.output_tokens });
    expect(rig.events.map(({ input_tokens, cost_nano_usd }) => [input_tokens, cost_nano_usd])).toEqual([
      [message.usage.input_tokens, 0],
      [0, 0],
      [message.usage.input_tokens, 0],
    ]);
  });

  it.each([true, false])('gets a tool use and hands in its result, streaming: %s', async (stream) => {
    const rig = rigOf();
    const client = anthropicOf(rig, 'http://sallyport/anthropic');
    const asked = { ...request, tools, messages: CALL };
    const message = stream ? await client.messages.stream(asked).finalMessage() : await client.messages.create(asked);
    const use = message.content[0];
    if (use?.type !== 'tool_use') throw new Error('no tool use');
    expect([message.stop_reason, use.name, use.input]).toEqual(['tool_use', 'look_up', { word: 'gate' }]);
    expect((await rig.event()).tool_use_id).toBe(use.id);

    const result = {
      type: 'tool_result' as const,
      tool_use_id: use.id,
      content: [{ type: 'text' as const, text: 'a door' }],
    };
    const next = await client.messages.create({
      ...asked,
      messages: [...CALL, { role: 'assistant', content: message.content }, { role: 'user', content: [result] }],
    });
    expect(next.content).toEqual([{ type: 'text', text: 'a door' }]);
  });

  it('lists models in its own shape', async () => {
    const client = anthropicOf(rigOf());
    const models = [];
    for await (const model of client.models.list()) models.push([model.id, model.type, model.display_name]);
    expect(models).toEqual([
      ['echo/echo', 'model', 'echo/echo'],
      ['echo/other', 'model', 'echo/other'],
    ]);
    expect((await client.models.retrieve('echo/echo')).id).toBe('echo/echo');
  });

  it('reads errors as the classes it has for them', async () => {
    const client = anthropicOf(rigOf());
    await expect(client.messages.create({ ...request, model: 'claude', messages: MESSAGES })).rejects.toThrow(
      anthropic.PermissionDeniedError,
    );
    await expect(client.messages.create({ ...request, max_tokens: 0, messages: MESSAGES })).rejects.toThrow(
      anthropic.BadRequestError,
    );
  });
});
