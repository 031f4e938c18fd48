// A legacy client of the gateway that is nothing but its messages.
import { messagesOf, type RawMessage } from './raw-session.ts';

export interface RawClientOptions {
  /** The whole endpoint. */
  readonly url: string;
  readonly key: string;
  readonly capabilities?: object;
}

export class RawMcpSession {
  readonly id: string;
  readonly #options: RawClientOptions;

  private constructor(options: RawClientOptions, id: string) {
    this.#options = options;
    this.id = id;
  }

  static async open(options: RawClientOptions): Promise<RawMcpSession> {
    const clientInfo = { name: 'raw', version: '1' };
    const params = { protocolVersion: '2025-11-25', capabilities: options.capabilities ?? {}, clientInfo };
    const response = await send(options, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
    const id = response.headers.get('mcp-session-id');
    const text = await response.text();
    if (id === null) throw new Error(`${response.status} ${text}`);
    return new RawMcpSession(options, id);
  }

  post(message: object, signal?: AbortSignal): Promise<Response> {
    return send(this.#options, { jsonrpc: '2.0', ...message }, { 'mcp-session-id': this.id }, signal);
  }

  call(name: string, given: object = {}, id: string | number = 1, signal?: AbortSignal): Promise<Response> {
    const params = { name, arguments: given, _meta: { progressToken: 'p' } };
    return this.post({ id, method: 'tools/call', params }, signal);
  }

  /** All that is said of one call. */
  async messages(name: string, given: object = {}, id: string | number = 1): Promise<RawMessage[]> {
    return messagesOf(await this.call(name, given, id));
  }

  listen(lastEventId?: string, signal?: AbortSignal): Promise<Response> {
    return fetch(this.#options.url, {
      headers: {
        authorization: `Bearer ${this.#options.key}`,
        accept: 'text/event-stream',
        'mcp-session-id': this.id,
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      },
      ...(signal !== undefined && { signal }),
    });
  }

  async close(): Promise<number> {
    const headers = { authorization: `Bearer ${this.#options.key}`, 'mcp-session-id': this.id };
    return (await fetch(this.#options.url, { method: 'DELETE', headers })).status;
  }
}

function send(
  { url, key }: RawClientOptions,
  message: object,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify(message),
    ...(signal !== undefined && { signal }),
  });
}

/** The ids of a stream's events, as they come. */
export async function* eventIdsOf(response: Response): AsyncGenerator<string> {
  if (response.body === null) return;
  let rest = '';
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('id: ')) yield line.slice(4);
  }
}
