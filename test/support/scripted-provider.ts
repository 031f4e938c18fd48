// A loopback stand-in for Anthropic's Messages API: the real wire format, the answers decided by a plan.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';

export interface MessagesRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly { readonly role: string; readonly content: string | readonly ContentBlock[] }[];
  readonly tools?: readonly { readonly name: string; readonly type?: string }[];
}
export interface ContentBlock {
  readonly type: string;
  readonly tool_use_id?: string;
  readonly text?: string;
  readonly content?: string | readonly ContentBlock[];
}

/** What the model says next. */
export type Turn =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly turn?: Turn;
}

export interface ScriptedProvider {
  /** To be given as `base_url`, without a trailing slash. */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  close(): Promise<void>;
}

export function newToolUseId(): string {
  return `toolu_01${randomBytes(11).toString('hex')}`;
}

export interface PlannedCall {
  readonly name: string;
  readonly input: unknown;
}

/** A plan that calls one tool once and then repeats what the tool said. */
export function callOnceThenRepeat(toolName: string, input: unknown): (request: MessagesRequest) => Turn {
  return callInTurnThenRepeat([{ name: toolName, input }]);
}

/**
 * A plan that calls tools one after the other and then repeats what the last one said. Where the client offers tools through its own
 * tool search, the plan asks for the tool there first, as the model would.
 */
export function callInTurnThenRepeat(calls: readonly PlannedCall[]): (request: MessagesRequest) => Turn {
  const called: string[] = [];
  return (request) => {
    const results = request.messages
      .flatMap(({ content }) => (typeof content === 'string' ? [] : content))
      .filter(({ type, tool_use_id: id }) => type === 'tool_result' && id !== undefined && called.includes(id));
    const next = calls[results.length];
    const last = results.at(-1);
    if (next === undefined) return { type: 'text', text: `The tool said: ${last === undefined ? '' : textOf(last)}` };
    const offered = new Set(request.tools?.map(({ name }) => name));
    const isDue = called.length === results.length;
    if (isDue && (offered.has(next.name) || isReferenced(request, next.name))) {
      const id = newToolUseId();
      called.push(id);
      return { type: 'tool_use', id, ...next };
    }
    if (isDue && offered.has('ToolSearch')) {
      const input = { query: `select:${next.name}`, max_results: 5 };
      return { type: 'tool_use', id: newToolUseId(), name: 'ToolSearch', input };
    }
    return { type: 'text', text: 'Nothing to do.' };
  };
}

function isReferenced(request: MessagesRequest, toolName: string): boolean {
  return JSON.stringify(request.messages).includes(`{"type":"tool_reference","tool_name":${JSON.stringify(toolName)}}`);
}

function textOf(block: ContentBlock): string {
  if (block.text !== undefined) return block.text;
  if (typeof block.content === 'string') return block.content;
  return (block.content ?? []).map(textOf).join('');
}

export async function startScriptedProvider(plan: (request: MessagesRequest) => Turn): Promise<ScriptedProvider> {
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const path = request.url ?? '/';
      const seen = { method: request.method ?? '', path, headers: request.headers, body };
      if (request.method === 'POST' && /^\/v1\/messages(\?|$)/.test(path)) {
        const parsed = JSON.parse(body) as MessagesRequest;
        const turn = plan(parsed);
        requests.push({ ...seen, turn });
        if (parsed.stream === true) return streamTurn(response, parsed.model, turn);
        return answerJson(response, 200, message(parsed.model, turn));
      }
      requests.push(seen);
      if (path.startsWith('/v1/messages/count_tokens')) return answerJson(response, 200, { input_tokens: 42 });
      return answerJson(response, 404, { type: 'error', error: { type: 'not_found_error', message: path } });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const USAGE = { input_tokens: 120, cache_creation_input_tokens: 30, cache_read_input_tokens: 10 };

function message(model: string, turn: Turn): Record<string, unknown> {
  return {
    id: `msg_01${randomBytes(11).toString('hex')}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [turn],
    stop_reason: turn.type === 'tool_use' ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { ...USAGE, output_tokens: 25 },
  };
}

/** The event sequence of a streamed message with one content block. */
function streamTurn(response: ServerResponse, model: string, turn: Turn): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  const send = (type: string, data: object): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  };
  const whole = message(model, turn);
  send('message_start', {
    message: { ...whole, content: [], stop_reason: null, usage: { ...USAGE, output_tokens: 1 } },
  });
  send('content_block_start', {
    index: 0,
    content_block: turn.type === 'text' ? { type: 'text', text: '' } : { ...turn, input: {} },
  });
  send('ping', {});
  const text = turn.type === 'text' ? turn.text : JSON.stringify(turn.input);
  for (const part of [text.slice(0, text.length / 2), text.slice(text.length / 2)]) {
    send('content_block_delta', {
      index: 0,
      delta:
        turn.type === 'text' ? { type: 'text_delta', text: part } : { type: 'input_json_delta', partial_json: part },
    });
  }
  send('content_block_stop', { index: 0 });
  send('message_delta', {
    delta: { stop_reason: whole['stop_reason'], stop_sequence: null },
    usage: { output_tokens: 25 },
  });
  send('message_stop', {});
  response.end();
}
