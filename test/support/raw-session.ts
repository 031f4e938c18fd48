// A legacy client of the bridge that is nothing but its messages.
import type { BridgeProcess } from './bridge-process.ts';

export const CLIENT_PARAMS = {
  protocolVersion: '2025-11-25',
  capabilities: { elicitation: {} },
  clientInfo: { name: 'raw', version: '1' },
};

export class RawSession {
  readonly #bridge: BridgeProcess;
  readonly #server: string;
  readonly id: string;

  private constructor(bridge: BridgeProcess, server: string, id: string) {
    this.#bridge = bridge;
    this.#server = server;
    this.id = id;
  }

  static async open(bridge: BridgeProcess, server: string, params: object = CLIENT_PARAMS): Promise<RawSession> {
    const response = await bridge.post(server, { id: 0, method: 'initialize', params });
    const id = response.headers.get('mcp-session-id');
    if (id === null) throw new Error(`${response.status} ${await response.text()}`);
    await response.body?.cancel();
    const session = new RawSession(bridge, server, id);
    await session.post({ method: 'notifications/initialized' });
    return session;
  }

  post(message: object, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    return this.#bridge.post(this.#server, message, { 'mcp-session-id': this.id, ...headers }, signal);
  }

  call(name: string, given: object = {}, id: string | number = 1, signal?: AbortSignal): Promise<Response> {
    return this.post({ id, method: 'tools/call', params: { name, arguments: given } }, {}, signal);
  }

  /** What the tool answered, parsed. */
  async value(name: string, given: object = {}, id: string | number = 1): Promise<unknown> {
    const response = await this.call(name, given, id);
    const messages = await messagesOf(response);
    const last = messages.at(-1) as { id?: unknown; result?: { content: { text: string }[] } } | undefined;
    const text = last?.result?.content[0]?.text;
    if (last?.id !== id || text === undefined) throw new Error(`${response.status} ${JSON.stringify(messages)}`);
    return JSON.parse(text);
  }

  /** The stream of what belongs to no request. */
  listen(signal: AbortSignal): Promise<Response> {
    return this.#bridge.fetch(`/servers/${this.#server}/mcp`, {
      headers: { ...this.#bridge.headers(), 'mcp-session-id': this.id, accept: 'text/event-stream' },
      signal,
    });
  }

  close(): Promise<Response> {
    return this.#bridge.fetch(`/servers/${this.#server}/mcp`, {
      method: 'DELETE',
      headers: { ...this.#bridge.headers(), 'mcp-session-id': this.id },
    });
  }
}

export interface RawMessage {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Record<string, unknown> };
}

/** All messages of a response, whichever of the two forms it has. */
export async function messagesOf(response: Response): Promise<RawMessage[]> {
  const text = await response.text();
  if (response.headers.get('content-type') !== 'text/event-stream') return [JSON.parse(text) as RawMessage];
  return (
    text
      .split('\n')
      // An event without data only gives its id.
      .filter((line) => line.startsWith('data: {'))
      .map((line) => JSON.parse(line.slice(6)) as RawMessage)
  );
}

/** Messages as they come; ends with the stream. */
export async function* eventsOf(response: Response): AsyncGenerator<RawMessage> {
  if (response.body === null) return;
  let rest = '';
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data: ')) yield JSON.parse(line.slice(6)) as RawMessage;
  }
}
