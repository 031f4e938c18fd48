// Responses as they stand on the wire.

export function jsonAnswer(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}

export interface WireEvent {
  /** Anthropic and the Responses API name their events, Chat Completions does not. */
  readonly type?: string;
  /** JSON, or the text as it stands. */
  readonly data: unknown;
}

/** One event a chunk, each made when the one before has been taken. */
export function eventStream(events: readonly WireEvent[]): Response {
  const encoder = new TextEncoder();
  let next = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const event = events[next++];
      if (event === undefined) controller.close();
      else controller.enqueue(encoder.encode(eventText(event)));
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
}

function eventText({ type, data }: WireEvent): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${type === undefined ? '' : `event: ${type}\n`}data: ${text}\n\n`;
}
