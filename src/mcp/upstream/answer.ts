// The answer to one request in an HTTP response of Streamable HTTP, alone or at the end of a stream of messages.
import { parseJSONRPCMessage, ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { asEgressError, EgressError } from '../../egress/egress-error.ts';
import { readChunks } from '../../egress/response-limit.ts';
import { SseParser } from '../../lib/sse-parser.ts';
import { streamEnd } from './transport.ts';

export type Message = JsonObject;

export interface Awaited {
  /** Of the request. */
  readonly id: number;
  readonly maxBytes: number;
  /** Is told what else the server has to say before it answers. */
  readonly heed: (message: Message) => void;
}

/** Where a stream broke off, and how long the server wants to be left alone before it is taken up again there. */
export interface Break {
  readonly lastEventId: string;
  readonly retryMs?: number | undefined;
}
export type Reading = { readonly result: unknown } | Break;

/**
 * @throws ProtocolError when the answer is a JSON-RPC error, or when there is none
 * @throws SdkHttpError when the server refuses the request
 */
export async function readAnswer(response: Response, awaited: Awaited): Promise<Reading> {
  if (!response.ok) throw await refusal(response, awaited.maxBytes);
  const contentType = response.headers.get('content-type');
  switch (contentType?.split(';', 1)[0]?.trim().toLowerCase()) {
    case 'application/json':
      return readJson(response, awaited);
    case 'text/event-stream':
      return readStream(response, awaited);
    default:
      await response.body?.cancel();
      if (response.status === 202) throw streamEnd();
      throw new SdkError(SdkErrorCode.ClientHttpUnexpectedContent, 'Unexpected content type', { contentType });
  }
}

/** @param from where the stream was taken up again */
export async function readStream(response: Response, awaited: Awaited, from?: Break): Promise<Reading> {
  let answer: Message | undefined;
  const parser = new SseParser(({ type, data }) => {
    if (answer !== undefined || data === '' || (type !== '' && type !== 'message')) return;
    const message = parseMessage(data);
    if (message === undefined) return;
    if (isAnswer(message, awaited.id)) answer = message;
    else awaited.heed(message);
  }, awaited.maxBytes);
  try {
    await readChunks(response, awaited.maxBytes, (chunk) => {
      parser.feed(chunk);
      return answer === undefined ? 'more' : 'enough';
    });
  } catch (error) {
    // A connection that breaks ends the stream, which may then be taken up again.
    if (error instanceof EgressError || asEgressError(error) === undefined) throw error;
  }
  if (answer !== undefined) return { result: resultOf(answer) };
  const lastEventId = parser.lastEventId || from?.lastEventId;
  if (lastEventId === undefined) throw streamEnd();
  return { lastEventId, retryMs: parser.retryMs ?? from?.retryMs };
}

async function readJson(response: Response, { id, maxBytes }: Awaited): Promise<Reading> {
  const body: unknown = JSON.parse(await readText(response, maxBytes));
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  const answer = messages.find((message) => isAnswer(message, id));
  if (answer !== undefined) return { result: resultOf(answer) };
  // Tells what is no JSON-RPC message at all from the answer to something else.
  for (const message of messages) parseJSONRPCMessage(message);
  throw streamEnd();
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  await readChunks(response, maxBytes, (chunk) => {
    text += decoder.decode(chunk, { stream: true });
    return 'more';
  });
  return text + decoder.decode();
}

async function refusal(response: Response, maxBytes: number): Promise<SdkHttpError> {
  const { status, statusText } = response;
  // The status says enough where the text cannot be had.
  const text = await readText(response, maxBytes).catch(() => '');
  return new SdkHttpError(SdkErrorCode.ClientHttpNotImplemented, text, { status, statusText, text });
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

/** Some servers give a number back as a string. */
function isAnswer(message: unknown, id: number): message is Message {
  if (!isObject(message) || 'method' in message || message['jsonrpc'] !== '2.0') return false;
  if (typeof message['id'] !== 'string' && typeof message['id'] !== 'number') return false;
  if (Number(message['id']) !== id) return false;
  const { error } = message;
  if (error === undefined) return isObject(message['result']);
  return isObject(error) && Number.isInteger(error['code']) && typeof error['message'] === 'string';
}

function resultOf({ error, result }: Message): unknown {
  if (!isObject(error)) return result;
  throw ProtocolError.fromError(Number(error['code']), String(error['message']), error['data']);
}
