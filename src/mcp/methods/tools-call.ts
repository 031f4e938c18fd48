import type { CallToolResult, Tool } from '@modelcontextprotocol/server';
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { showNamed } from '../catalog.ts';
import type { ClientRequest } from '../client-request.ts';
import { hopOf, relayedMeta } from '../hop.ts';
import { withLegacyContent } from '../legacy-output.ts';
import { DISCOVERY_DEADLINE_MS } from '../limits.ts';
import type { RpcAnswer } from '../protocol/message.ts';
import { finished, shownResult } from '../shown-result.ts';
import type { ToolCallFailure } from '../tool-call.ts';
import { parseQualifiedName } from '../tool-name.ts';
import { answeredError, failureData, invalidParams, unknownName } from './failure-answer.ts';

/** Where a failed call says why, for programs. */
const ERROR_META_KEY = 'sallyport/error';

export async function callTool(request: ClientRequest, params: JsonObject): Promise<RpcAnswer> {
  const { name, arguments: given, _meta, ...more } = params;
  if (typeof name !== 'string') return invalidParams('"name" must be a string');
  if (given !== undefined && !isObject(given)) return invalidParams('"arguments" must be an object');
  if (_meta !== undefined && !isObject(_meta)) return invalidParams('"_meta" must be an object');
  const target = await findTarget(request, name);
  const meta = relayedMeta(_meta);
  const outcome = await request.toolInvoker.invoke(request.caller, {
    upstream: target.upstream,
    tool: target.tool,
    ...(given !== undefined && { arguments: given }),
    ...(meta !== undefined && { meta }),
    more,
    signal: request.signal,
    requestBytes: request.requestBytes,
    hop: hopOf(request, target.upstream, params),
  });
  if (!outcome.ok) return failed(request, outcome.error, name);
  const result = request.peer.era === 'legacy' ? legacyResult(outcome.value, target.definition) : outcome.value;
  return finished(request, await shownResult(request, target.upstream, { ...result }), target.upstream);
}

function legacyResult(result: CallToolResult, definition: Tool | undefined): CallToolResult {
  return Array.isArray(result.content) ? withLegacyContent(result, definition?.outputSchema) : result;
}

interface Target {
  readonly upstream: string;
  /** Wire name, or the name as shown where nothing stands behind it: policy or the upstream's catalog refuses it. */
  readonly tool: string;
  readonly definition?: Tool;
}

async function findTarget({ caller, upstreamViews }: ClientRequest, name: string): Promise<Target> {
  const { naming, grants } = caller.scope;
  const [sole = ''] = grants.keys();
  const parsed = naming === 'wire' ? { upstream: sole, wireName: name } : parseQualifiedName(name);
  if (parsed === undefined) return { upstream: '', tool: name };
  const { upstream } = parsed;
  const unknown = { upstream, tool: parsed.wireName ?? name };
  const grant = grants.get(upstream);
  if (grant === undefined) return unknown;
  const { catalog } = await upstreamViews.view(grant.upstream, DISCOVERY_DEADLINE_MS);
  const tool = catalog === undefined ? undefined : showNamed('tools', catalog, upstream, naming).byShownName.get(name);
  return tool === undefined ? unknown : { upstream, tool: tool.wireName, definition: tool.definition };
}

/** What the client asked wrongly, and the upstream's own errors, are errors; the rest is for the model to read. */
async function failed(request: ClientRequest, error: ToolCallFailure, name: string): Promise<RpcAnswer> {
  if (error.code === 'tool_not_allowed' || error.code === 'not_found') return unknownName('tool', name);
  if (error.code === 'invalid_request') return invalidParams(error.message);
  const answered = answeredError(error);
  if (answered !== undefined) return answered;
  return finished(request, {
    content: [{ type: 'text', text: error.message }],
    isError: true,
    _meta: { [ERROR_META_KEY]: failureData(error) },
  });
}
