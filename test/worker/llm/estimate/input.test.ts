// What is in a request beside text, and how many tokens it can be, worked out by hand.
import { describe, expect, it } from 'vitest';
import {
  ask,
  bytesOf,
  CHAT,
  DATA_URL,
  estimated,
  FORMAT,
  GEMINI,
  MESSAGES,
  PNG,
  PRICE,
  PRICING,
  refused,
  RESPONSES,
  say,
  searching,
  tell,
  TEMPLATE,
  TEXT,
  TOOLS,
  VENDOR_TOOL,
  WINDOW,
  type Operation,
} from './call.ts';
import { OPERATIONS } from '../../../../src/llm/operation.ts';

describe('pictures, sound and documents', () => {
  const image = { type: 'image_url', image_url: { url: DATA_URL } };
  it.each<[string, Operation, unknown, string, number]>([
    ['gpt-4.1 by tiles', CHAT, say([TEXT, image]), 'gpt-4.1', 1445],
    ['gpt-4o-mini by dearer tiles', CHAT, say([TEXT, image]), 'gpt-4o-mini', 48_169],
    ['gpt-4.1-mini by patches', CHAT, say([TEXT, image]), 'openai/gpt-4.1-mini-2025-04-14', 3779],
    ['gpt-5.5 by more patches', RESPONSES, ask([{ type: 'input_image', image_url: DATA_URL }]), 'gpt-5.5', 24_600],
    [
      'a screenshot',
      RESPONSES,
      {
        max_output_tokens: 1,
        input: [{ type: 'computer_call_output', output: { type: 'computer_screenshot', image_url: DATA_URL } }],
      },
      'gpt-5.5',
      24_600,
    ],
    [
      'one in the result of a tool',
      MESSAGES,
      say([{ type: 'tool_result', content: [TEXT, { type: 'image', source: { type: 'base64', data: PNG } }] }]),
      'claude-sonnet-4-5',
      1640,
    ],
    [
      'Claude',
      MESSAGES,
      say([{ type: 'image', source: { type: 'base64', data: PNG } }]),
      'claude-haiku-4-5-20251001',
      1640,
    ],
    [
      'Claude in high resolution',
      MESSAGES,
      say([{ type: 'image', source: { type: 'base64', data: PNG } }]),
      'claude-opus-4-7',
      4784,
    ],
    ['Gemini', GEMINI, tell([{ inlineData: { mimeType: 'image/png', data: PNG } }]), 'gemini-3.5-flash', 2240],
    [
      'Gemini, the other spelling',
      GEMINI,
      tell([{ inline_data: { mime_type: 'image/png', data: PNG } }]),
      'gemini-2.5-pro',
      16_512,
    ],
  ])('an image is no text: %s', (_name, operation, body, model, tokens) => {
    const { inputTokens } = estimated(operation, body, { model });
    expect(inputTokens).toBe(bytesOf(body) - PNG.length + TEMPLATE + tokens);
  });

  it('an image by its address is an image', () => {
    const body = say([{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }]);
    expect(estimated(CHAT, body).inputTokens).toBe(bytesOf(body) + TEMPLATE + 1445);
  });

  it('many images are charged for beyond the window they take up', () => {
    // 60 × 1,445 fit into the window; they are billed as 60 × 48,169.
    const many = Array.from({ length: 60 }, () => image);
    const { inputTokens } = estimated(CHAT, say(many), { model: 'gpt-4o-mini' });
    expect(inputTokens).toBe(bytesOf(say(many)) - 60 * PNG.length + TEMPLATE + 60 * 48_169);
    const more = say([...many, ...many]);
    expect(estimated(CHAT, more, { model: 'gpt-4o-mini' }).inputTokens).toBe(34 * WINDOW);
    expect(estimated(CHAT, more, { model: 'gpt-4.1' }).inputTokens).toBe(WINDOW);
  });

  it('text where a picture is expected stays text where the provider reads it as text', () => {
    const body = say([{ type: 'tool_use', id: 't', name: 'x', input: { type: 'image', source: { data: PNG } } }]);
    expect(estimated(MESSAGES, body).inputTokens).toBe(bytesOf(body) + TEMPLATE);
  });

  it('sound is bounded by its length and has its own price', () => {
    // 240,000 bytes of WAV are at most 30 seconds of the poorest sound there is, and then one.
    const data = 'UklGRjoAAABXQVZF'.repeat(20_000);
    const body = say([{ type: 'input_audio', input_audio: { data, format: 'wav' } }]);
    const text = bytesOf(body) - data.length + TEMPLATE;
    const priced = { ...PRICING, price: { ...PRICE, input_audio_mtok: 32 } };
    const { inputTokens, inputCost } = estimated(CHAT, body, { pricing: priced });
    expect(inputTokens).toBe(text + 310);
    expect(inputCost).toBe(text * 1000 + 310 * 32_000);
    expect(refused(CHAT, body)).toMatchObject({
      code: 'model_not_priced',
      message: expect.stringContaining('input_audio_mtok'),
    });
  });

  const PDF = { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0xLjcK' };
  const UNBOUNDED: [string, Operation, unknown][] = [
    ['a PDF', MESSAGES, say([{ type: 'document', source: PDF }])],
    ['a document by its address', MESSAGES, say([{ type: 'document', source: { type: 'url', url: 'https://x' } }])],
    ['a file', CHAT, say([{ type: 'file', file: { file_id: 'file-1' } }])],
    ['a file of Responses', RESPONSES, ask([{ type: 'input_file', file_url: 'https://x' }])],
    ['an earlier response', RESPONSES, ask('x', { previous_response_id: 'resp_1' })],
    ['a conversation', RESPONSES, ask('x', { conversation: { id: 'conv_1' } })],
    ['a stored prompt', RESPONSES, ask('x', { prompt: { id: 'pmpt_1' } })],
    ['an item by name', RESPONSES, { max_output_tokens: 1, input: [{ type: 'item_reference', id: 'x' }] }],
    ['an answer heard earlier', CHAT, { max_tokens: 1, messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] }],
    ['a file of Gemini', GEMINI, tell([{ fileData: { fileUri: 'https://x' } }])],
    ['a video', GEMINI, tell([{ inlineData: { mimeType: 'video/mp4', data: 'AAAA' } }])],
    [
      'sound in a format that can be silent for nothing',
      GEMINI,
      tell([{ inlineData: { mimeType: 'audio/flac', data: 'AAAA' } }]),
    ],
    [
      'a file to embed',
      OPERATIONS.batchEmbedContents,
      { requests: [{ content: { parts: [{ fileData: { fileUri: 'https://x' } }] } }] },
    ],
    ['a cached content', GEMINI, tell([{ text: 'x' }], { cachedContent: 'cachedContents/1' })],
    ['a kind of part that nobody knows', CHAT, say([{ type: 'hologram', hologram: 'x' }])],
    ['a kind of block that nobody knows', MESSAGES, say([{ type: 'hologram' }])],
    ['a tool of the provider', RESPONSES, ask('x', { tools: [{ type: 'mcp', server_url: 'https://x' }] })],
    ['a thread', MESSAGES, say('x', { thread: { type: 'continue', previous_message_id: 'msg_1' } })],
    ['connectors', MESSAGES, say('x', { mcp_servers: [{ type: 'url', url: 'https://x' }] })],
    ['what a search may find', GEMINI, tell([{ text: 'x' }], { tools: [{ codeExecution: {} }] })],
  ];
  it.each(UNBOUNDED)('fills the window: %s', (_name, operation, body) => {
    expect(estimated(operation, body).inputTokens).toBe(WINDOW);
  });
  it.each(UNBOUNDED)('is refused where the window is not known: %s', (_name, operation, body) => {
    const { contextWindow: _unknown, ...pricing } = PRICING;
    const failure = refused(operation, body, { pricing });
    expect(failure).toMatchObject({ code: 'invalid_request', message: expect.stringContaining('context_window') });
    expect(failure.message).toContain('providers[].prices of "main"');
  });

  it('what the provider ran earlier is text', () => {
    const output = { type: 'code_execution_output', file_id: 'file_1' };
    const result = { type: 'code_execution_result', stdout: 'x', content: [output] };
    const body = say([
      { type: 'server_tool_use', id: 's', name: 'code_execution', input: {} },
      { type: 'code_execution_tool_result', tool_use_id: 's', content: result },
      { type: 'web_search_tool_result', content: [{ type: 'web_search_result', encrypted_content: 'x' }] },
      { type: 'web_search_tool_result', content: { type: 'web_search_tool_result_error', error_code: 'x' } },
      { type: 'tool_search_tool_result', content: { type: 'tool_search_tool_search_result', tool_references: [] } },
    ]);
    expect(estimated(MESSAGES, body).inputTokens).toBe(bytesOf(body) + TEMPLATE);
    const output2 = { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'x' }] };
    const call2 = { type: 'shell_call_output', call_id: 'c', output: [{ stdout: 'x', stderr: '' }] };
    const input = [{ type: 'reasoning', encrypted_content: 'x' }, { type: 'function_call', name: 'f' }, output2, call2];
    const responses = { max_output_tokens: 1, input };
    expect(estimated(RESPONSES, responses).inputTokens).toBe(bytesOf(responses) + TEMPLATE);
  });

  it('documents of text are text', () => {
    const source = { type: 'content', content: [TEXT] };
    const body = say([
      { type: 'document', source: { type: 'text', data: 'abc' } },
      { type: 'document', source },
    ]);
    expect(estimated(MESSAGES, body).inputTokens).toBe(bytesOf(body) + TEMPLATE);
  });
});

describe('tools', () => {
  const plain = { name: 'find', input_schema: { type: 'object' } };
  it.each<[string, Operation, object, number]>([
    ['functions', CHAT, say('x', { tools: [{ type: 'function', function: { name: 'f' } }] }), TOOLS],
    ['functions of Responses', RESPONSES, ask('x', { tools: [{ type: 'function', name: 'f' }] }), TOOLS],
    ['an editor of patches', RESPONSES, ask('x', { tools: [{ type: 'apply_patch' }] }), TOOLS + VENDOR_TOOL],
    ['tools', MESSAGES, say('x', { tools: [plain] }), TOOLS],
    ['a shell', MESSAGES, say('x', { tools: [plain, { type: 'bash_20250124', name: 'bash' }] }), TOOLS + VENDOR_TOOL],
    ['declarations', GEMINI, tell([{ text: 'x' }], { tools: [{ functionDeclarations: [] }] }), TOOLS],
    ['an answer of a certain form', CHAT, say('x', { response_format: { type: 'json_object' } }), FORMAT],
  ])('are explained to the model: %s', (_name, operation, body, tokens) => {
    expect(estimated(operation, body).inputTokens).toBe(bytesOf(body) + TEMPLATE + tokens);
  });

  it('of the provider make it read on, as often as the request allows', () => {
    const pricing = { ...PRICING, price: { ...PRICE, web_searches_kcount: 10 } };
    const three = estimated(MESSAGES, searching(3), { pricing });
    expect(three.inputTokens).toBe(4 * WINDOW);
    // Three cents for the searches.
    expect(three.inputCost).toBe(4 * WINDOW * 1000 + 30_000_000);
    const unbounded = estimated(MESSAGES, searching(), { pricing });
    expect(unbounded.inputCost).toBe(WINDOW * 1000 + 100_000_000);
    const calls = ask('x', { tools: [{ type: 'web_search' }, { type: 'mcp' }], max_tool_calls: 2 });
    expect(estimated(RESPONSES, calls, { pricing }).inputCost).toBe(3 * WINDOW * 1000 + 20_000_000);
  });

  it.each<[string, Operation, object]>([
    ['summed up', MESSAGES, say('x', { context_management: { edits: [{ type: 'compact_20260112' }] } })],
    ['summed up otherwise', MESSAGES, say('x', { compaction: { type: 'auto' } })],
    ['declined', MESSAGES, say('x', { fallbacks: [{ model: 'm' }] })],
    ['summed up by Responses', RESPONSES, ask('x', { context_management: [{ type: 'compaction' }] })],
  ])('are not needed to be read twice: %s', (_name, operation, body) => {
    expect(estimated(operation, body).inputTokens).toBe(2 * (bytesOf(body) + TEMPLATE));
  });

  it('that are charged by the piece need a price', () => {
    const body = ask('x', { tools: [{ type: 'web_search' }] });
    expect(refused(RESPONSES, body)).toMatchObject({
      code: 'model_not_priced',
      message: expect.stringContaining('web_searches_kcount'),
    });
    const grounded = { ...PRICING, price: { ...PRICE, grounding_kcount: 35 } };
    const google = tell([{ text: 'x' }], { tools: [{ googleSearch: {} }] });
    expect(estimated(GEMINI, google, { pricing: grounded }).inputCost).toBe(WINDOW * 1000 + 35_000_000);
  });
});
