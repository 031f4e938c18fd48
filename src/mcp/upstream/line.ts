// The HTTP side of one call: Streamable HTTP, with the headers that the server's era asks for.
import { deadlineSignal } from '../../egress/fetch.ts';
import type { UpstreamNetwork, UpstreamSession } from '../ports.ts';
import { MODERN_VERSION } from './connect.ts';

/** For what is sent beside the call and answered with nothing. */
const ASIDE_MS = 5_000;
const SENTINEL = { start: '=?base64?', end: '?=' };
const HEADER_SAFE = /^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/;

export class Line {
  readonly #endpoint: ReturnType<UpstreamNetwork['endpoint']>;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #hangUp = new AbortController();

  /** @param session of a legacy server; its empty members stand for what the server did not name */
  constructor(endpoint: ReturnType<UpstreamNetwork['endpoint']>, session: UpstreamSession | undefined) {
    this.#endpoint = endpoint;
    const { sessionId = '', protocolVersion = MODERN_VERSION } = session ?? {};
    this.#headers = {
      ...(protocolVersion !== '' && { 'mcp-protocol-version': protocolVersion }),
      ...(sessionId !== '' && { 'mcp-session-id': sessionId }),
    };
  }

  /** Sends the call itself. */
  async post(message: object, headers: Readonly<Record<string, string>>): Promise<Response> {
    return this.#send(message, headers, this.#hangUp.signal);
  }

  /** Takes up the stream of an answer that broke off after the event given. */
  async resume(lastEventId: string): Promise<Response> {
    const { url, fetch: send } = this.#endpoint;
    const headers = { ...this.#headers, accept: 'text/event-stream', 'last-event-id': lastEventId };
    return send(url, { method: 'GET', headers, signal: this.#hangUp.signal });
  }

  /** Says something that wants no answer. Never rejects: the call does not depend on it. */
  async tell(message: object): Promise<void> {
    try {
      const response = await this.#send(message, {}, deadlineSignal(ASIDE_MS));
      await response.body?.cancel();
    } catch {
      // The call's own exchange tells what is wrong with the server.
    }
  }

  hangUp(): void {
    this.#hangUp.abort();
  }

  #send(message: object, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
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
}

/** As 2026-07-28 writes a value into a header: what a header cannot carry, or would be taken for encoded, in base64. */
export function headerValue(value: string): string {
  const looksEncoded = value.startsWith(SENTINEL.start) && value.endsWith(SENTINEL.end);
  if (HEADER_SAFE.test(value) && !looksEncoded) return value;
  const bytes = new TextEncoder().encode(value);
  return SENTINEL.start + btoa(String.fromCharCode(...bytes)) + SENTINEL.end;
}
