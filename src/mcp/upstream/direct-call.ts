// A tool call to a server that was met before, as the few HTTP messages it takes: the SDK's client and transport, made
// anew for each exchange, cost more than everything else that a call does here.
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  SdkError,
  SdkErrorCode,
} from '@modelcontextprotocol/client';
import type { CallToolResult } from '@modelcontextprotocol/client';
import { isObject } from '../../lib/json-value.ts';
import { PRODUCT } from '../../lib/product.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import type { ToolProgress, UpstreamNetwork, UpstreamSession, UpstreamToolCall } from '../ports.ts';
import { readAnswer, readStream } from './answer.ts';
import type { Awaited, Break, Message, Reading } from './answer.ts';
import { MODERN_VERSION } from './connect.ts';
import { headerValue, Line } from './line.ts';
import { Patience } from './patience.ts';
import { isToolResult, NOT_A_TOOL_RESULT } from './relayed-result.ts';
import { streamEnd } from './transport.ts';

const ENVELOPE = {
  [PROTOCOL_VERSION_META_KEY]: MODERN_VERSION,
  [CLIENT_INFO_META_KEY]: PRODUCT,
  [CLIENT_CAPABILITIES_META_KEY]: {},
};
const METHOD_NOT_FOUND = { code: -32601, message: 'Method not found' };
const MOST_RESUMPTIONS = 2;
const RESUMPTION_DELAY_MS = 1_000;

export interface DirectCallOptions {
  readonly network: UpstreamNetwork;
  readonly maxResponseBytes: number;
  readonly timeoutMs: number;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/**
 * @param session of a legacy server; without it the server is spoken to as 2026-07-28 has it
 * @throws what `explainFailure` understands
 */
export async function callDirectly(
  upstream: Upstream,
  session: UpstreamSession | undefined,
  call: UpstreamToolCall,
  { network, maxResponseBytes, timeoutMs, waitUntil }: DirectCallOptions,
): Promise<CallToolResult> {
  const line = new Line(network.endpoint(upstream), session);
  const patience = new Patience(timeoutMs, call.signal);
  // Calls of one owner share a session, in which no two requests may have one id.
  const [id = 0] = crypto.getRandomValues(new Uint32Array(1));
  const heed = (message: Message): void => {
    if (patience.reason !== undefined) return;
    const { method } = message;
    if (method === 'notifications/progress') {
      const progress = progressOf(message, id);
      if (progress === undefined || call.onProgress === undefined) return;
      patience.restart();
      call.onProgress(progress);
    } else if (session !== undefined && method !== undefined && message['id'] !== undefined) {
      // Servers of 2026-07-28 ask nothing of their clients.
      const answer = method === 'ping' ? { result: {} } : { error: METHOD_NOT_FOUND };
      waitUntil(line.tell({ jsonrpc: '2.0', id: message['id'], ...answer }));
    }
  };
  try {
    const headers = session === undefined ? { 'mcp-method': 'tools/call', 'mcp-name': headerValue(call.name) } : {};
    const response = line.post(requestOf(call, id, session === undefined), headers);
    const answer = read(line, response, { id, maxBytes: maxResponseBytes, heed }, timeoutMs);
    const result = await Promise.race([answer, patience.lost]);
    return relayed(result, session === undefined);
  } catch (error) {
    if (patience.reason !== undefined) waitUntil(giveUp(line, session, id, patience.reason));
    throw error;
  } finally {
    patience.stop();
  }
}

function requestOf(call: UpstreamToolCall, id: number, isModern: boolean): object {
  const { name, arguments: given, meta, onProgress } = call;
  const ownMeta = { ...(onProgress !== undefined && { progressToken: id }), ...(isModern && ENVELOPE) };
  const hasMeta = meta !== undefined || Object.keys(ownMeta).length > 0;
  const params = {
    name,
    ...(given !== undefined && { arguments: given }),
    ...(hasMeta && { _meta: { ...meta, ...ownMeta } }),
  };
  return { jsonrpc: '2.0', id, method: 'tools/call', params };
}

/** @returns the result, from however many pieces of a stream that a legacy server lets be taken up again */
async function read(line: Line, response: Promise<Response>, awaited: Awaited, timeoutMs: number): Promise<unknown> {
  let reading: Reading = await readAnswer(await response, awaited);
  while (!('result' in reading)) {
    const resumed = await resume(line, reading, timeoutMs);
    if (resumed === undefined) throw streamEnd();
    reading = await readStream(resumed, awaited, reading);
  }
  return reading.result;
}

async function resume(line: Line, from: Break, timeoutMs: number): Promise<Response | undefined> {
  const delayMs = Math.min(from.retryMs ?? RESUMPTION_DELAY_MS, timeoutMs);
  for (let attempt = 1; attempt <= MOST_RESUMPTIONS; attempt++) {
    await new Promise((resolve) => {
      setTimeout(resolve, delayMs);
    });
    const response = await line.resume(from.lastEventId).catch(() => undefined);
    if (response?.ok === true) return response;
    await response?.body?.cancel();
    if (response?.status === 405) return undefined;
  }
  return undefined;
}

/** A legacy server takes a closed connection for an accident. */
async function giveUp(line: Line, session: UpstreamSession | undefined, requestId: number, reason: string) {
  if (session !== undefined) {
    await line.tell({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason } });
  }
  line.hangUp();
}

function progressOf({ params }: Message, token: number): ToolProgress | undefined {
  if (!isObject(params) || Number(params['progressToken']) !== token) return undefined;
  const { progress, total, message } = params;
  if (typeof progress !== 'number') return undefined;
  return {
    progress,
    ...(typeof total === 'number' && { total }),
    ...(typeof message === 'string' && { message }),
  };
}

/** The result whole, without what belongs to this hop alone. */
function relayed(answer: unknown, isModern: boolean): CallToolResult {
  const { resultType, ...result } = Object(answer) as Record<string, unknown>;
  if (isModern && resultType !== 'complete') {
    const isKnown = typeof resultType === 'string';
    const code = isKnown ? SdkErrorCode.UnsupportedResultType : SdkErrorCode.InvalidResult;
    throw new SdkError(code, `a result of type ${String(resultType)}`);
  }
  if (!isToolResult(result)) throw new SdkError(SdkErrorCode.InvalidResult, NOT_A_TOOL_RESULT);
  return result;
}
