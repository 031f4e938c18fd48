// The messages in an HTTP response of MCP: one JSON body, or a stream of events that may go on for ever.
import { parseJSONRPCMessage, SdkError, SdkErrorCode } from '@modelcontextprotocol/client';
import { asEgressError, EgressError } from '../../egress/egress-error.ts';
import { readChunks, readText } from '../../egress/response-limit.ts';
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { SseParser } from '../../lib/sse-parser.ts';
import { HttpRefusal } from './refusal.ts';
import { streamEnd } from './transport.ts';

/** Whatever the server sent that is an object: what it says is for the reader to find out. */
export type Message = JsonObject;

export interface Reading {
  /** Of one message and, where the response answers a request, of the whole. */
  readonly maxBytes: number;
  /** A stream that answers no request may go on for days. */
  readonly endless?: boolean;
  readonly receive: (message: Message) => 'more' | 'enough';
  /** Of events that are no messages: the older transport names its endpoint in one. */
  readonly onEvent?: (type: string, data: string) => void;
}

/** How a stream ended: after which event, and how long the server wants to be left alone before it is taken up again. */
export interface StreamEnd {
  readonly lastEventId?: string;
  readonly retryMs?: number;
}

/**
 * Reads until there is no more, or enough.
 * @throws HttpRefusal when the server refuses; SdkError or ZodError for what is no message; EgressError for what is
 *   too large
 */
export async function readMessages(response: Response, reading: Reading): Promise<StreamEnd> {
  if (!response.ok) throw await refusalOf(response, reading.maxBytes);
  const contentType = response.headers.get('content-type');
  switch (contentType?.split(';', 1)[0]?.trim().toLowerCase()) {
    case 'application/json':
      await readJson(response, reading);
      return {};
    case 'text/event-stream':
      return readEvents(response, reading);
    default:
      await response.body?.cancel();
      if (response.status === 202) throw streamEnd();
      throw new SdkError(SdkErrorCode.ClientHttpUnexpectedContent, 'Unexpected content type', { contentType });
  }
}

async function readEvents(response: Response, { maxBytes, endless, receive, onEvent }: Reading): Promise<StreamEnd> {
  let wants: 'more' | 'enough' = 'more';
  const parser = new SseParser(({ type, data }) => {
    if (wants === 'enough' || data === '') return;
    if (type !== '' && type !== 'message') return onEvent?.(type, data);
    const message = parseMessage(data);
    if (message !== undefined) wants = receive(message);
  }, maxBytes);
  try {
    await readChunks(response, endless === true ? Infinity : maxBytes, (chunk) => {
      parser.feed(chunk);
      return wants;
    });
  } catch (error) {
    // A connection that breaks ends the stream, which may then be taken up again.
    if (error instanceof EgressError || asEgressError(error) === undefined) throw error;
  }
  const { lastEventId, retryMs } = parser;
  return {
    ...(lastEventId !== undefined && lastEventId !== '' && { lastEventId }),
    ...(retryMs !== undefined && { retryMs }),
  };
}

async function readJson(response: Response, { maxBytes, receive }: Reading): Promise<void> {
  const body: unknown = JSON.parse(await readText(response, maxBytes));
  // Tells what is no JSON-RPC at all from an answer to something else.
  for (const message of Array.isArray(body) ? body : [body]) {
    if (!isObject(message) || message['jsonrpc'] !== '2.0') parseJSONRPCMessage(message);
    else if (receive(message) === 'enough') return;
    else if (!('method' in message)) parseJSONRPCMessage(message);
  }
}

async function refusalOf(response: Response, maxBytes: number): Promise<HttpRefusal> {
  // The status says enough where the text cannot be had.
  const text = await readText(response, maxBytes).catch(() => '');
  return new HttpRefusal(response.status, text, response.headers.get('retry-after'));
}

function parseMessage(data: string): Message | undefined {
  try {
    const message: unknown = JSON.parse(data);
    return isObject(message) ? message : undefined;
  } catch {
    // One garbled event does not end the stream, in which the answer may still come.
    return undefined;
  }
}
