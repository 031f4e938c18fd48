// Methods that the core of the protocol does not know. Those of tasks find their server by the id of the task; all others
// are relayed where one server is behind the endpoint, and declares an extension.
import type { JsonObject } from '../../lib/json-value.ts';
import { isObject } from '../../lib/json-value.ts';
import { isTaskMethod } from '../../policy/mcp-scope.ts';
import { TASKS_EXTENSION } from '../capabilities.ts';
import type { ClientRequest, Peer } from '../client-request.ts';
import { DISCOVERY_DEADLINE_MS } from '../limits.ts';
import type { Catalog } from '../ports.ts';
import { RPC, rpcError } from '../protocol/errors.ts';
import type { RpcAnswer } from '../protocol/message.ts';
import { relayRequest } from '../relayed-request.ts';
import { grantsAll, grantsAny, type Grant } from '../scope.ts';
import { finished, shownResult } from '../shown-result.ts';
import { parseTaskId } from '../task-id.ts';
import { failureAnswer, invalidParams, unknownName } from './failure-answer.ts';

/** Those of 2026-07-28; the tasks of 2025-11-25 have others too. */
const MODERN_TASK_METHODS: ReadonlySet<string> = new Set(['tasks/get', 'tasks/update', 'tasks/cancel']);

export async function callExtension(request: ClientRequest, method: string, params: JsonObject): Promise<RpcAnswer> {
  return isTaskMethod(method) && request.caller.scope.naming === 'qualified'
    ? callSharedTask(request, method, params)
    : callWire(request, method, params);
}

async function callWire(request: ClientRequest, method: string, params: JsonObject): Promise<RpcAnswer> {
  const { naming, grants } = request.caller.scope;
  const [sole] = grants.values();
  if (naming !== 'wire' || sole === undefined) return methodNotFound();
  const { catalog } = await request.upstreamViews.view(sole.upstream, DISCOVERY_DEADLINE_MS);
  const isTask = isTaskMethod(method);
  const offered = isTask ? hasTasks(catalog, sole) : hasExtension(catalog) && grantsAll(sole);
  return offered ? relay(request, sole, method, params) : methodNotFound();
}

async function callSharedTask(request: ClientRequest, method: string, params: JsonObject): Promise<RpcAnswer> {
  const { taskId } = params;
  // A list of all servers' tasks has no pages that could be followed; it is not declared either.
  if (method === 'tasks/list') return methodNotFound();
  if (request.peer.era === 'modern') {
    const refusal = refuseModernTask(request.peer, method);
    if (refusal !== undefined) return refusal;
  }
  if (typeof taskId !== 'string') return invalidParams('"taskId" must be a string');
  const parsed = parseTaskId(taskId);
  const grant = request.caller.scope.grants.get(parsed?.upstream ?? '');
  if (parsed === undefined || grant === undefined) return unknownName('task', taskId);
  const { catalog } = await request.upstreamViews.view(grant.upstream, DISCOVERY_DEADLINE_MS);
  if (!hasTasks(catalog, grant)) return unknownName('task', taskId);
  return relay(request, grant, method, { ...params, taskId: parsed.id });
}

/** What the server would say, before it is known which. */
function refuseModernTask({ face }: Peer, method: string): RpcAnswer | undefined {
  if (!MODERN_TASK_METHODS.has(method)) return methodNotFound();
  const declared = face.capabilities.extensions;
  if (declared !== undefined && TASKS_EXTENSION in declared) return undefined;
  const requiredCapabilities = { extensions: { [TASKS_EXTENSION]: {} } };
  const text = `Declare the extension ${TASKS_EXTENSION} to use tasks`;
  return rpcError(RPC.missingClientCapability, text, { requiredCapabilities });
}

async function relay(request: ClientRequest, grant: Grant, method: string, params: JsonObject): Promise<RpcAnswer> {
  const outcome = await relayRequest(request, { kind: 'extension.call', grant, subject: method, method, params });
  if (!outcome.ok) return outcome.error.code === 'not_found' ? methodNotFound() : failureAnswer(outcome.error);
  const upstream = grant.upstream.name;
  return finished(request, await shownResult(request, upstream, outcome.value), upstream);
}

function hasTasks(catalog: Catalog | undefined, grant: Grant): boolean {
  if (catalog === undefined || !grantsAny(grant, 'tools')) return false;
  const { tasks, extensions }: JsonObject = { ...catalog.capabilities };
  return tasks !== undefined || (isObject(extensions) && TASKS_EXTENSION in extensions);
}

function hasExtension(catalog: Catalog | undefined): boolean {
  const { extensions, experimental }: JsonObject = { ...catalog?.capabilities };
  return [extensions, experimental].some((declared) => isObject(declared) && Object.keys(declared).length > 0);
}

export function methodNotFound(): RpcAnswer {
  return rpcError(RPC.methodNotFound, 'Method not found');
}
