// `x-sallyport-mcp`: whether a call of a model is given the tools of its key.
import { agentDialectOf } from '../../../llm/agent/dialects.ts';
import type { AgentDialect } from '../../../llm/agent/dialect.ts';
import type { Toolbox } from '../../../llm/agent/toolbox.ts';
import type { LlmCaller } from '../../../llm/call-record.ts';
import type { Operation } from '../../../llm/operation.ts';
import { isObject, parseJson, type JsonObject } from '../../../lib/json-value.ts';
import { err, ok, type Result } from '../../../lib/result.ts';
import { narrowScope, parseNarrowing } from '../../../mcp/narrowing.ts';
import { scopeOf } from '../../../mcp/scope.ts';
import { createToolbox } from '../../../mcp/toolbox.ts';
import { failure, type Failure } from '../../../policy/failure.ts';
import type { PolicySnapshot, VirtualKey } from '../../../policy/snapshot.ts';
import type { Services } from '../../../services.ts';
import { errorResponse } from '../../error-response.ts';

export const TOOLS_HEADER = 'x-sallyport-mcp';

/**
 * Undefined where the request passes as it is.
 * @param asked the header's value: `inject`, or `off` where the key asks for tools and this request does not
 */
export function injectionFor(
  asked: string | null,
  operation: Operation,
  { injectTools = false }: Pick<VirtualKey, 'injectTools'>,
): Result<AgentDialect | undefined, Failure> {
  if (asked !== null && asked !== 'inject' && asked !== 'off')
    return err(failure('invalid_request', `${TOOLS_HEADER} is "inject" or "off".`, { param: TOOLS_HEADER }));
  const isWanted = asked === null ? injectTools : asked === 'inject';
  return ok(isWanted ? agentDialectOf(operation.path) : undefined);
}

/** What a toolbox is made of: the tools of a key, less what the request does not want to see. */
export interface ToolboxRequest {
  readonly headers: Pick<Headers, 'get'>;
  readonly services: Services;
  readonly snapshot: PolicySnapshot;
  readonly virtualKey: VirtualKey;
  readonly caller: LlmCaller;
}

export function toolboxFor({
  headers,
  services,
  snapshot,
  virtualKey,
  caller: { requestId, receivedAt, client, tags },
}: ToolboxRequest): Result<Toolbox, Failure> {
  const { settings } = snapshot;
  const narrowing = parseNarrowing(headers);
  if (!narrowing.ok) return narrowing;
  const whole = scopeOf(snapshot, virtualKey) ?? { naming: 'qualified', grants: new Map() };
  const scope = narrowScope(whole, narrowing.value);
  const toolbox = createToolbox(
    {
      toolInvoker: services.toolInvoker(virtualKey.principal.keyId),
      upstreamViews: services.upstreamViews,
      recorder: services.recorder,
      now: services.now,
    },
    {
      virtualKey,
      scope,
      settings,
      requestId,
      receivedAt,
      ...(client !== undefined && { client }),
      ...(tags !== undefined && { tags }),
    },
  );
  return ok(toolbox);
}

/** An error's body, for a stream that has begun: its status can no longer say anything. */
export async function errorBodyOf(
  reason: Failure,
  dialect: Operation['dialect'],
  requestId: string,
): Promise<JsonObject> {
  const body = parseJson(await errorResponse(reason, dialect, requestId).text());
  return isObject(body) ? body : {};
}
