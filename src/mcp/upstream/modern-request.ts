// One request to a server of 2026-07-28: one POST, one answer.
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/client';
import { isObject, type JsonObject, textAt } from '../../lib/json-value.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import type { Face, LinkRequest } from '../links.ts';
import type { Catalog, UpstreamNetwork } from '../ports.ts';
import { encodeHeaderValue } from '../protocol/header-value.ts';
import { isNotification, isResponse, type RpcAnswer } from '../protocol/message.ts';
import { mirroredParams, paramHeadersOf } from '../protocol/param-headers.ts';
import { nameMemberOf } from '../protocol/standard-headers.ts';
import { MODERN_VERSION } from './connect.ts';
import { type HeaderMap, HttpLine } from './http-line.ts';
import { readMessages, type Message } from './message-stream.ts';
import { isChange } from './notifications.ts';
import { Patience } from './patience.ts';
import { ownId, withMeta } from './request-message.ts';
import { streamEnd } from './transport.ts';

export interface ModernHop {
  readonly network: UpstreamNetwork;
  readonly face: Face;
  readonly maxResponseBytes: number;
  /** Between two signs of life. */
  readonly timeoutMs: number;
}

export type ModernRequest = Pick<
  LinkRequest,
  'method' | 'params' | 'signal' | 'wantsProgress' | 'logLevel' | 'onNotification'
>;

/**
 * Closing the stream cancels the request, so that giving up needs no further message.
 * @throws what `explainFailure` understands
 */
export async function requestModern(
  upstream: Upstream,
  catalog: Catalog | undefined,
  request: ModernRequest,
  { network, face, maxResponseBytes, timeoutMs }: ModernHop,
): Promise<RpcAnswer> {
  const patience = new Patience(timeoutMs, request.signal);
  const hangUp = new AbortController();
  const id = ownId();
  const line = new HttpLine(network.endpoint(upstream), { 'mcp-protocol-version': MODERN_VERSION });
  let answer: RpcAnswer | undefined;
  const receive = (message: Message): 'more' | 'enough' => {
    if (isResponse(message)) answer = answerFor(message, id);
    else if (isNotification(message) && patience.reason === undefined) heed(message, request, id, patience);
    return answer === undefined ? 'more' : 'enough';
  };
  const message = { jsonrpc: '2.0', id, method: request.method, params: paramsOf(request, face, id) };
  try {
    const exchange = line
      .post(message, hangUp.signal, headersOf(request, catalog))
      .then((response) => readMessages(response, { maxBytes: maxResponseBytes, receive }));
    await Promise.race([exchange, patience.lost]);
    if (answer === undefined) throw streamEnd();
    return answer;
  } finally {
    if (patience.reason !== undefined) hangUp.abort();
    patience.stop();
  }
}

export function envelope({ info, capabilities }: Face): JsonObject {
  return {
    [PROTOCOL_VERSION_META_KEY]: MODERN_VERSION,
    ...(info !== undefined && { [CLIENT_INFO_META_KEY]: info }),
    [CLIENT_CAPABILITIES_META_KEY]: capabilities,
  };
}

function paramsOf({ params, wantsProgress, logLevel }: ModernRequest, face: Face, id: number): JsonObject {
  return withMeta(params, {
    ...(wantsProgress && { progressToken: id }),
    ...envelope(face),
    ...(logLevel !== undefined && { [LOG_LEVEL_META_KEY]: logLevel }),
  });
}

function headersOf({ method, params }: ModernRequest, catalog: Catalog | undefined): HeaderMap {
  const member = nameMemberOf(method);
  const name = member === undefined ? undefined : textAt(params, member);
  const tool = method === 'tools/call' ? catalog?.tools.find((one) => one.name === name) : undefined;
  return {
    'mcp-method': method,
    ...(name !== undefined && { 'mcp-name': encodeHeaderValue(name) }),
    ...(tool !== undefined && mirroredParams(paramHeadersOf(tool.inputSchema), params?.['arguments'])),
  };
}

/** Some servers give a number back as a string. Answers to what was never asked are nobody's. */
export function answerFor(message: Message, id: number): RpcAnswer | undefined {
  if (message['id'] === null || Number(message['id']) !== id) return undefined;
  const { error, result } = message;
  if (isObject(error)) {
    const { code, message: text, data } = error;
    return { error: { code: Number(code), message: String(text), ...(data !== undefined && { data }) } };
  }
  return { result: isObject(result) ? result : {} };
}

/** Servers of 2026-07-28 ask nothing, and tell of changes only to who listens. */
function heed(message: Message, { onNotification, wantsProgress }: ModernRequest, id: number, patience: Patience) {
  const { method, params } = message;
  if (typeof method !== 'string' || isChange(method)) return;
  if (method !== 'notifications/progress') {
    onNotification?.({ method, ...(isObject(params) && { params }) });
    return;
  }
  if (!wantsProgress || !isObject(params) || Number(params['progressToken']) !== id) return;
  patience.restart();
  const { progressToken: _, ...progress } = params;
  onNotification?.({ method, params: progress });
}
