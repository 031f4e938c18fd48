import { CLIENT_INFO_META_KEY, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { CallToolResult, JSONRPCRequest, Server, ServerContext, Tool } from '@modelcontextprotocol/server';
import { isObject } from '../../lib/json-value.ts';
import { showCatalog } from '../catalog.ts';
import type { Exchange } from '../exchange.ts';
import { DISCOVERY_DEADLINE_MS, NAME_LENGTH } from '../limits.ts';
import type { ToolProgress } from '../ports.ts';
import type { ToolCaller, ToolCallFailure, ToolInvocation } from '../tool-call.ts';
import { parseQualifiedName } from '../tool-name.ts';

/** Where a failed call says why, for programs: `{code, retry_after_seconds}`. */
const ERROR_META_KEY = 'sallyport/error';

export async function callTool(
  exchange: Exchange,
  request: JSONRPCRequest,
  context: ServerContext,
  server: Server,
): Promise<CallToolResult> {
  const params = readParams(request.params);
  const target = await findTarget(exchange, params.name);
  const { progressToken, ...meta } = params.meta ?? {};
  const outcome = await exchange.toolInvoker.invoke(nameClient(exchange.caller, context), {
    upstream: target.upstream,
    tool: target.tool,
    ...(params.arguments !== undefined && { arguments: params.arguments }),
    ...(params.meta !== undefined && Object.keys(meta).length > 0 && { meta }),
    signal: AbortSignal.any([exchange.signal, context.mcpReq.signal]),
    ...(isProgressToken(progressToken) && { onProgress: progressRelay(context, progressToken) }),
    requestBytes: exchange.requestBytes,
  });
  if (!outcome.ok) return failedResult(outcome.error, params.name);
  // A legacy client reads objects only: what an upstream of 2026-07-28 returns otherwise is wrapped as its listing says.
  return exchange.era === 'legacy'
    ? server.projectCallToolResult(outcome.value, target.definition?.outputSchema)
    : outcome.value;
}

/** What a client calls itself in 2026-07-28. A legacy one said so in a handshake that no later request repeats. */
function nameClient(caller: ToolCaller, context: ServerContext): ToolCaller {
  const envelope: unknown = context.mcpReq.envelope;
  const info = isObject(envelope) ? envelope[CLIENT_INFO_META_KEY] : undefined;
  return isObject(info) ? { ...caller, client: `${String(info['name'])}/${String(info['version'])}` } : caller;
}

interface CallParams extends Pick<ToolInvocation, 'arguments' | 'meta'> {
  readonly name: string;
}

function readParams(params: JSONRPCRequest['params']): CallParams {
  const { name, arguments: given, _meta: meta } = params ?? {};
  if (typeof name !== 'string') throw invalidParams('"name" must be a string');
  if (given !== undefined && !isObject(given)) throw invalidParams('"arguments" must be an object');
  if (meta !== undefined && !isObject(meta)) throw invalidParams('"_meta" must be an object');
  return { name, ...(given !== undefined && { arguments: given }), ...(meta !== undefined && { meta }) };
}

interface Target {
  readonly upstream: string;
  /** Wire name, or the name as shown where nothing stands behind it: policy or the upstream's catalog refuses it. */
  readonly tool: string;
  readonly definition?: Tool;
}

async function findTarget({ caller, upstreamViews }: Exchange, name: string): Promise<Target> {
  const { naming, grants } = caller.scope;
  const parsed = naming === 'wire' ? { upstream: firstKey(grants), wireName: name } : parseQualifiedName(name);
  if (parsed === undefined) return { upstream: '', tool: name };
  const { upstream } = parsed;
  const unknown = { upstream, tool: parsed.wireName ?? name };
  const grant = grants.get(upstream);
  if (grant === undefined) return unknown;
  const { catalog } = await upstreamViews.view(grant.upstream, DISCOVERY_DEADLINE_MS);
  const tool = catalog === undefined ? undefined : showCatalog(catalog, upstream, naming).byShownName.get(name);
  if (tool === undefined) return unknown;
  return { upstream, tool: tool.wireName, definition: tool.definition };
}

function firstKey(grants: ReadonlyMap<string, unknown>): string {
  return grants.keys().next().value ?? '';
}

function progressRelay(context: ServerContext, progressToken: string | number): (progress: ToolProgress) => void {
  return (progress) => {
    // Nobody is left to tell when it cannot be sent; the call itself learns of that by its signal.
    void context.mcpReq
      .notify({ method: 'notifications/progress', params: { ...progress, progressToken } })
      .catch(() => undefined);
  };
}

// Errors of the hop to the upstream in 2026-07-28 (header mismatch, missing capability, unsupported version): relayed,
// they would speak of the hop to the client.
const HOP_ERRORS: ReadonlySet<number> = new Set([-32020, -32021, -32022]);

/** @throws ProtocolError for what the client asked wrongly, and for the upstream's own errors */
function failedResult(error: ToolCallFailure, name: string): CallToolResult {
  if (error.code === 'tool_not_allowed' || error.code === 'not_found') {
    throw invalidParams(`Unknown tool: ${name.slice(0, NAME_LENGTH)}`);
  }
  const { answered } = error;
  if (answered !== undefined && !HOP_ERRORS.has(answered.code)) {
    throw ProtocolError.fromError(answered.code, error.message, answered.data);
  }
  const { code, retryAfterSeconds } = error;
  const told = { code, ...(retryAfterSeconds !== undefined && { retry_after_seconds: retryAfterSeconds }) };
  return { content: [{ type: 'text', text: error.message }], isError: true, _meta: { [ERROR_META_KEY]: told } };
}

function invalidParams(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}

function isProgressToken(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
