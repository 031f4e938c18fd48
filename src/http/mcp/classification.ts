// Which era a POST is of. The SDK decides; what it decides of nearly every request is told here by a look at a few
// members, since its schemas cost a tenth of a call.
import {
  classifyInboundRequest,
  PROTOCOL_VERSION_META_KEY,
  type InboundClassificationOutcome,
} from '@modelcontextprotocol/server';
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { isRequest, type RpcRequest } from '../../mcp/protocol/message.ts';
import { isLegacyVersion } from '../../mcp/session/handshake.ts';

const MODERN_VERSION = '2026-07-28';
const RESERVED = 'io.modelcontextprotocol/';
const MEMBERS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params']);

/** Envelopes that were found to be valid, as text: a client's requests have the same one each time. */
const validEnvelopes = new Set<string>();
const MOST_ENVELOPES = 1_000;
const MOST_CHARACTERS = 2_000;

/** @param body parsed JSON */
export function classifyPost(headers: Pick<Headers, 'get'>, body: unknown): InboundClassificationOutcome {
  const version = headers.get('mcp-protocol-version');
  const method = headers.get('mcp-method');
  const plain = isPlainRequest(body) ? classifyPlain(body, version, method) : undefined;
  if (plain !== undefined) return plain;
  const outcome = classifyInboundRequest({
    httpMethod: 'POST',
    ...(version !== null && { protocolVersionHeader: version }),
    ...(method !== null && { mcpMethodHeader: method }),
    body,
  });
  if (outcome.kind === 'modern' && outcome.messageKind === 'request') remember(outcome.message.params?._meta);
  return outcome;
}

/** @returns undefined where the SDK is to decide */
function classifyPlain(
  body: RpcRequest,
  version: string | null,
  method: string | null,
): InboundClassificationOutcome | undefined {
  const { _meta: meta = {} } = body.params ?? {};
  const envelope = envelopeText(meta);
  if (envelope === NO_ENVELOPE) {
    if (version !== null && !isLegacyVersion(version)) return undefined;
    return { kind: 'legacy', reason: 'no-claim', ...(version !== null && { requestedVersion: version }) };
  }
  if (version !== MODERN_VERSION || (method !== null && method !== body.method)) return undefined;
  if (envelope === undefined || !validEnvelopes.has(envelope)) return undefined;
  const classification = { era: 'modern', revision: version } as const;
  return { kind: 'modern', messageKind: 'request', message: body as JsonRpcRequest, classification };
}

type JsonRpcRequest = Extract<InboundClassificationOutcome, { messageKind: 'request' }>['message'];

/** As the schema of requests has it, `_meta` apart; a handshake is a matter of its own. */
function isPlainRequest(body: unknown): body is RpcRequest {
  if (!isRequest(body) || body.method === 'initialize') return false;
  if (typeof body.id === 'number' && !Number.isSafeInteger(body.id)) return false;
  return Object.keys(body).every((member) => MEMBERS.has(member));
}

const NO_ENVELOPE = '[]';

/** What of `_meta` the protocol defines; undefined where something is odd about it. */
function envelopeText(meta: unknown): string | undefined {
  if (!isObject(meta)) return undefined;
  const { progressToken } = meta;
  if (progressToken !== undefined && typeof progressToken !== 'string' && !Number.isSafeInteger(progressToken)) {
    return undefined;
  }
  try {
    return JSON.stringify(Object.entries(meta).filter(([key]) => key.startsWith(RESERVED)));
  } catch {
    // Nested deeper than the stack is.
    return undefined;
  }
}

function remember(meta: JsonObject | undefined): void {
  // A version that the request names and the gateway does not speak is not worth a place.
  const text = meta?.[PROTOCOL_VERSION_META_KEY] === MODERN_VERSION ? envelopeText(meta) : undefined;
  if (text === undefined || text.length > MOST_CHARACTERS) return;
  if (validEnvelopes.size >= MOST_ENVELOPES) validEnvelopes.clear();
  validEnvelopes.add(text);
}
