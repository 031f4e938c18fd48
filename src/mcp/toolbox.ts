// The tools of one caller as a model is given them. Every call takes the way of a direct one.
import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server';
import type { Recorder } from '../audit/recorder.ts';
import type { ListedTool, ToolAnswer, Toolbox, ToolCallContext, ToolContent, ToolUse } from '../llm/agent/toolbox.ts';
import { at } from '../lib/json-value.ts';
import { describeFault, log } from '../lib/log.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { failure, type Failure } from '../policy/failure.ts';
import { matchesAny } from '../policy/patterns.ts';
import { argumentProblem } from './argument-check.ts';
import { toolsInScope, type ShownTool } from './catalog.ts';
import { NAME_LENGTH } from './limits.ts';
import type { UpstreamViews } from './ports.ts';
import type { ToolCaller, ToolInvocation, ToolInvoker } from './tool-call.ts';
import { toolCallEvent } from './request-event.ts';
import { parseQualifiedName } from './tool-name.ts';

export interface ToolboxPorts {
  readonly toolInvoker: ToolInvoker;
  readonly upstreamViews: UpstreamViews;
  readonly recorder: Recorder;
  readonly now: () => number;
}

export function createToolbox(ports: ToolboxPorts, caller: ToolCaller): Toolbox {
  let shown: Promise<ReadonlyMap<string, ShownTool>> | undefined;
  const tools = (): Promise<ReadonlyMap<string, ShownTool>> => {
    shown ??= toolsInScope(caller.scope, ports.upstreamViews).then(
      (list) => new Map(list.filter(isForModels).map((tool) => [tool.definition.name, tool])),
    );
    return shown;
  };
  return {
    list: async () => [...(await tools())].map(([name, tool]) => listed(name, tool, caller)),
    call: async (use, context) => callTool(ports, caller, (await tools()).get(use.name), use, context),
  };
}

/** A tool of an MCP App may be for the app alone (`io.modelcontextprotocol/ui`, `visibility`). */
function isForModels({ definition }: ShownTool): boolean {
  const visibility = at(definition._meta, 'ui', 'visibility');
  return !Array.isArray(visibility) || visibility.includes('model');
}

function listed(name: string, { wireName, definition }: ShownTool, { scope }: ToolCaller): ListedTool {
  const upstream = scope.grants.get(parseQualifiedName(name)?.upstream ?? '')?.upstream;
  return {
    name,
    ...(definition.description !== undefined && { description: definition.description }),
    inputSchema: definition.inputSchema,
    autoExecute: matchesAny(upstream?.auto_execute ?? [], wireName),
  };
}

async function callTool(
  ports: ToolboxPorts,
  asker: ToolCaller,
  tool: ShownTool | undefined,
  use: ToolUse,
  { signal, parentId }: ToolCallContext,
): Promise<Result<ToolAnswer, Failure>> {
  const parsed = parseQualifiedName(use.name);
  const given = use.arguments;
  const invocation: ToolInvocation = {
    upstream: parsed?.upstream ?? '',
    // Where nothing stands behind the name, policy or the upstream's catalog refuses it.
    tool: tool?.wireName ?? parsed?.wireName ?? use.name,
    ...(given !== undefined && { arguments: given }),
    meta: { toolUseId: use.id },
    signal,
  };
  // Each call is timed by itself, not from when its request arrived.
  const caller = { ...asker, receivedAt: ports.now(), ...(parentId !== undefined && { parentId }) };
  const problem = problemWith(tool, given);
  if (problem !== undefined) return refuseArguments(ports, caller, invocation, problem);
  const outcome = await ports.toolInvoker.invoke(caller, invocation);
  if (outcome.ok) return ok(answerOf(outcome.value));
  const { code, message, answered } = outcome.error;
  if (code === 'tool_not_allowed' || code === 'not_found') return err(unknownTool(use.name));
  // An error that the server itself answered with is what the tool has to say.
  return answered === undefined ? outcome : ok(errorAnswer(message));
}

function problemWith(tool: ShownTool | undefined, given: ToolUse['arguments']): string | undefined {
  if (given === undefined) return 'they are not a JSON object';
  return tool === undefined ? undefined : argumentProblem(tool.definition, given);
}

/** A call that was never made is on the record all the same. */
async function refuseArguments(
  ports: ToolboxPorts,
  caller: ToolCaller,
  invocation: ToolInvocation,
  problem: string,
): Promise<Result<ToolAnswer, Failure>> {
  const text = `The arguments do not fit the tool's schema: ${problem}. Call it again with arguments that do.`;
  const { payer } = caller.virtualKey.principal;
  try {
    const outcome = err(failure('invalid_request', text));
    const event = await toolCallEvent(caller, invocation, { outcome }, ports.now());
    if (caller.settings.audit.durability.tool_calls === 'durable') await ports.recorder.durable(payer, event);
    else ports.recorder.batched(payer, event);
  } catch (fault) {
    log('error', 'audit.event.lost', { request_id: caller.requestId, fault: describeFault(fault) });
    return err(failure('audit_unavailable', 'The call could not be recorded, so it was not made.'));
  }
  return ok(errorAnswer(text));
}

function unknownTool(name: string): Failure {
  const text = `There is no tool "${name.slice(0, NAME_LENGTH)}" for this key.`;
  return failure('tool_not_allowed', text);
}

function errorAnswer(text: string): ToolAnswer {
  return { isError: true, content: [{ type: 'text', text }] };
}

function answerOf(result: CallToolResult): ToolAnswer {
  // What 2026-07-28 knows in place of a result speaks to MCP clients only: a question to the user, a task to wait for.
  if (!Array.isArray(result.content)) {
    const asks = 'resultType' in result && result.resultType === 'input_required';
    const what = asks ? 'asks for input from the user' : 'did not answer with a result';
    return errorAnswer(`The tool ${what}, which cannot be dealt with on this way. Do without it.`);
  }
  const content = result.content.map(contentOf);
  const { structuredContent, isError } = result;
  if (content.length === 0 && structuredContent !== undefined)
    content.push({ type: 'text', text: JSON.stringify(structuredContent) });
  return { isError: isError === true, content };
}

/** What models read is text and pictures; the rest is shown as it stands on the wire, less what would be noise. */
function contentOf(block: ContentBlock): ToolContent {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text };
    case 'image':
      return { type: 'image', data: block.data, mimeType: block.mimeType };
    case 'audio':
      return { type: 'text', text: `[audio of type ${block.mimeType}, which cannot be played here]` };
    case 'resource': {
      const { resource } = block;
      if ('text' in resource) return { type: 'text', text: resource.text };
      return {
        type: 'text',
        text: `[${resource.uri}: ${resource.mimeType ?? 'binary'} data, which cannot be shown here]`,
      };
    }
    default:
      return { type: 'text', text: JSON.stringify(block) };
  }
}
