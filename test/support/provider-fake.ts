// A loopback provider that streams in both dialects and fails in the ways that networks do; the model's name says how.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import { listen, readText, sendJson, type Fixture } from './fixture-http.ts';

/** Whole streams as they stand on the wire, in the pieces in which they are written. */
const CHAT = [
  'data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n',
  'data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o-2024-08-06", "choices":[{"index":0,"delta":{"content":"\\u00e9\u00e9"},"finish_reason":null}]}\n',
  '\ndata: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"b"},"finish_reason":null}]}\n\n: ping\n\n',
  'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: {"choices":[],"usa',
  'ge":{"prompt_tokens":1000,"completion_tokens":200,"total_tokens":1200}}\n\n',
  'data: [DONE]\n\n',
];
const MESSAGE = [
  'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[],"usage":{"input_tokens":1000,"cache_read_input_tokens":0,"cache_creation_input_tokens":0,"output_tokens":1}}}\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}\n\n',
  'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":200}}\n\n',
  'event: message_stop\ndata: {"type":"message_stop"}\n\n',
];

export async function startProviderFake(): Promise<Fixture> {
  /** Models whose stream its reader left before the end. */
  const abandoned: string[] = [];
  return listen((request, response) => {
    void readText(request).then(async (body) => {
      if (request.url === '/abandoned') return sendJson(response, abandoned);
      const { model } = JSON.parse(body) as { model: string };
      response.on('close', () => {
        if (!response.writableFinished) abandoned.push(model);
      });
      return behave(model, response, request.url?.endsWith('/messages') === true ? MESSAGE : CHAT);
    });
  });
}

async function behave(model: string, response: ServerResponse, pieces: readonly string[]): Promise<void> {
  if (model.startsWith('hang')) return;
  if (model.startsWith('slow')) return answerSlowly(response);
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-request-id': 'req_fake' });
  if (model.startsWith('endless')) {
    await write(response, pieces.slice(0, 2));
    while (!response.destroyed) await write(response, pieces.slice(1, 3));
    return;
  }
  const whole = model.startsWith('gpt') || model.startsWith('claude');
  await write(response, whole ? pieces : pieces.slice(0, 3));
  if (model.startsWith('break')) {
    await sleep(30);
    response.destroy();
  }
  if (!model.startsWith('stall')) response.end();
}

/** Too slow for a timeout between two pieces, but not for one of the whole. */
async function answerSlowly(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' });
  await write(
    response,
    ['{"model":"slow",', '"choices":[],', '"usage":{"prompt_tokens":5,', '"completion_tokens":5}}'],
    120,
  );
  response.end();
}

async function write(response: ServerResponse, pieces: readonly string[], pauseMs = 15): Promise<void> {
  for (const piece of pieces) {
    await sleep(pauseMs);
    response.write(piece);
  }
}
