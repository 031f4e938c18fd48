// The beginning of a session at a legacy server.
import { SdkError, SdkErrorCode, SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/client';
import type { Implementation, ServerCapabilities } from '@modelcontextprotocol/client';
import { isObject, textAt } from '../../lib/json-value.ts';
import { PRODUCT } from '../../lib/product.ts';
import type { Face } from '../links.ts';
import type { UpstreamSession } from '../ports.ts';
import { isResponse, type RpcAnswer, type RpcRequest } from '../protocol/message.ts';
import { AnsweredError } from './answered-error.ts';
import type { HttpLine } from './http-line.ts';
import { readMessages } from './message-stream.ts';
import { answerFor } from './modern-request.ts';
import { ownId } from './request-message.ts';
import { streamEnd } from './transport.ts';

export const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' } as const;

export function initializeRequest(face: Face, protocolVersion: string): RpcRequest {
  const params = { protocolVersion, capabilities: face.capabilities, clientInfo: face.info ?? PRODUCT };
  return { jsonrpc: '2.0', id: ownId(), method: 'initialize', params };
}

/** Over Streamable HTTP. @throws what `explainFailure` understands */
export async function initializeOverHttp(
  line: HttpLine,
  request: RpcRequest,
  { maxBytes, timeoutMs }: { readonly maxBytes: number; readonly timeoutMs: number },
): Promise<UpstreamSession> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DOMException('no answer', 'TimeoutError')), timeoutMs);
  try {
    const response = await line.post(request, late.signal);
    let answer: RpcAnswer | undefined;
    await readMessages(response, {
      maxBytes,
      receive: (message) => {
        if (isResponse(message)) answer = answerFor(message, Number(request.id));
        return answer === undefined ? 'more' : 'enough';
      },
    });
    if (answer === undefined) throw streamEnd();
    return agreed(answer, response.headers.get('mcp-session-id') ?? '');
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What the two sides agreed on. An empty session id stands for a server that keeps no sessions.
 * @throws AnsweredError when the server refuses, SdkError when it speaks no version known here
 */
export function agreed(answer: RpcAnswer, sessionId: string): UpstreamSession {
  if ('error' in answer) throw new AnsweredError(answer.error);
  const { capabilities, serverInfo } = answer.result;
  const protocolVersion = textAt(answer.result, 'protocolVersion') ?? '';
  if (!SUPPORTED_PROTOCOL_VERSIONS.includes(protocolVersion)) {
    const said = protocolVersion === '' ? 'no version' : `version ${protocolVersion.slice(0, 40)}`;
    throw new SdkError(SdkErrorCode.EraNegotiationFailed, `it answered with ${said}`);
  }
  const instructions = textAt(answer.result, 'instructions');
  return {
    sessionId,
    protocolVersion,
    capabilities: isObject(capabilities) ? (capabilities as ServerCapabilities) : {},
    ...(isObject(serverInfo) && { serverInfo: serverInfo as unknown as Implementation }),
    ...(instructions !== undefined && { instructions }),
  };
}
