// A loopback stand-in for an OpenAI-compatible provider; the model's name says how it behaves.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen, readText, sendJson, type Fixture } from './fixture-http.ts';

export interface ChatProvider extends Fixture {
  readonly seen: readonly { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[];
  /** How many streams their reader left before the end. */
  readonly abandoned: () => number;
}

const USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
const WORDS = ['A ', 'gate ', 'with ', 'two ', 'doors.'];

/** Models: `gpt-4o-mini` answers, `gpt-endless` streams until its reader leaves, `gpt-limited` and `gpt-strict` refuse. */
export async function startChatProvider(): Promise<ChatProvider> {
  const seen: { path: string; headers: IncomingHttpHeaders; body: string }[] = [];
  let abandoned = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readText(request);
    const path = request.url ?? '/';
    seen.push({ path, headers: request.headers, body });
    if (path === '/v1/models') return sendJson(response, { object: 'list', data: MODELS });
    const { model, stream } = JSON.parse(body) as { model: string; stream?: boolean };
    if (model === 'gpt-limited') return refuse(response, 429, 'rate_limit_exceeded', { 'retry-after': '7' });
    if (model === 'gpt-strict') return refuse(response, 400, 'context_length_exceeded');
    if (stream !== true) return sendJson(response, completion(model));
    response.on('close', () => {
      if (!response.writableFinished) abandoned++;
    });
    await streamChunks(response, model, model === 'gpt-endless');
  };
  const fixture = await listen((request, response) => void answer(request, response));
  return { ...fixture, seen, abandoned: () => abandoned };
}

const MODELS = ['gpt-4o-mini', 'gpt-endless', 'gpt-limited', 'gpt-strict', 'o9-unlisted'].map((id) => ({
  id,
  object: 'model',
  created: 1_700_000_000,
  owned_by: 'openai',
}));

function refuse(response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const type = status === 429 ? 'requests' : 'invalid_request_error';
  sendJson(response, { error: { message: `the provider says ${code}`, type, code, param: null } }, status);
}

function completion(model: string): Record<string, unknown> {
  const message = { role: 'assistant', content: WORDS.join(''), refusal: null };
  return {
    id: 'chatcmpl-scripted',
    object: 'chat.completion',
    created: 1_700_000_000,
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
    usage: USAGE,
  };
}

async function streamChunks(response: ServerResponse, model: string, isEndless: boolean): Promise<void> {
  const send = (more: Record<string, unknown>): void => {
    const chunk = { id: 'chatcmpl-scripted', object: 'chat.completion.chunk', created: 1_700_000_000, model, ...more };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let index = 0; isEndless ? !response.destroyed : index < WORDS.length; index++) {
    send({ choices: [{ index: 0, delta: { content: WORDS[index % WORDS.length] }, finish_reason: null }] });
    await sleep(10);
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  send({ choices: [], usage: USAGE });
  response.end('data: [DONE]\n\n');
}
