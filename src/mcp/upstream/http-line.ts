// The HTTP side of Streamable HTTP, with the headers that a server's era and session ask for.
import { deadlineSignal } from '../../egress/fetch.ts';
import type { UpstreamNetwork, UpstreamSession } from '../ports.ts';

/** For what is sent beside a request and answered with nothing. */
const ASIDE_MS = 5_000;

export type Endpoint = ReturnType<UpstreamNetwork['endpoint']>;
export type HeaderMap = Readonly<Record<string, string>>;

export class HttpLine {
  readonly #endpoint: Endpoint;
  readonly #headers: HeaderMap;

  /** @param headers of every request */
  constructor(endpoint: Endpoint, headers: HeaderMap) {
    this.#endpoint = endpoint;
    this.#headers = headers;
  }

  async post(message: object, signal: AbortSignal, headers: HeaderMap = {}): Promise<Response> {
    const { url, fetch: send } = this.#endpoint;
    return send(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...this.#headers,
        ...headers,
      },
      body: JSON.stringify(message),
      signal,
    });
  }

  /** Opens a stream, after the event given where one is. */
  async get(signal: AbortSignal, lastEventId?: string): Promise<Response> {
    const { url, fetch: send } = this.#endpoint;
    const resumed: HeaderMap = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    return send(url, {
      method: 'GET',
      headers: { ...this.#headers, accept: 'text/event-stream', ...resumed },
      signal,
    });
  }

  /** Says something that wants no answer. Never rejects: what depends on it finds out by itself. */
  async tell(message: object): Promise<void> {
    await this.#aside((signal) => this.post(message, signal));
  }

  /** Ends the session. Never rejects: a server may have forgotten it, or not offer this. */
  async end(): Promise<void> {
    const { url, fetch: send } = this.#endpoint;
    await this.#aside((signal) => send(url, { method: 'DELETE', headers: this.#headers, signal }));
  }

  async #aside(send: (signal: AbortSignal) => Promise<Response>): Promise<void> {
    try {
      const response = await send(deadlineSignal(ASIDE_MS));
      await response.body?.cancel();
    } catch {
      // The exchange that this belongs to tells what is wrong with the server.
    }
  }
}

/** @param session its empty members stand for what the server did not name */
export function sessionHeaders({
  sessionId,
  protocolVersion,
}: Pick<UpstreamSession, 'sessionId' | 'protocolVersion'>): HeaderMap {
  return {
    ...(protocolVersion !== '' && { 'mcp-protocol-version': protocolVersion }),
    ...(sessionId !== '' && { 'mcp-session-id': sessionId }),
  };
}
