// The Tasks extension on a server of the SDK, which knows its methods and leaves their meaning to the server.
import {
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server';
import type { CallToolResult, Server, ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { isRecord } from './asking-tools.ts';
import { TASKS_EXTENSION } from './tasks.ts';
import type { TaskBoard, TaskTool } from './tasks.ts';
import type { Arguments, ToolResult } from './tools.ts';

const OF_TASK = z.looseObject({ taskId: z.string() });

function knowsTasks({ mcpReq }: ServerContext): boolean {
  const envelope: Arguments = mcpReq.envelope ?? {};
  const declared = envelope[CLIENT_CAPABILITIES_META_KEY];
  return isRecord(declared) && isRecord(declared['extensions']) && TASKS_EXTENSION in declared['extensions'];
}

function requireTasks(context: ServerContext): void {
  if (knowsTasks(context)) return;
  throw new MissingRequiredClientCapabilityError({
    requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } },
  });
}

/** Becomes a task for a client that knows them; one that does not is answered at the end and never asked. */
export async function callTaskTool(
  tool: TaskTool,
  board: TaskBoard,
  args: Arguments,
  context: ServerContext,
): Promise<CallToolResult> {
  if (tool.alwaysTask === true) requireTasks(context);
  if (knowsTasks(context)) return startTask(board, args, tool.job);
  const { signal } = context.mcpReq;
  return (await tool.job({ arguments: args, signal, ask: () => Promise.resolve({}) })) as CallToolResult;
}

/** The rest of a call that has been answered; at once for a client that knows no tasks. */
export function finishLater(
  board: TaskBoard,
  args: Arguments,
  result: ToolResult,
  context: ServerContext,
): CallToolResult {
  return knowsTasks(context) ? startTask(board, args, async () => result) : (result as CallToolResult);
}

function startTask(board: TaskBoard, args: Arguments, job: TaskTool['job']): CallToolResult {
  return { resultType: 'task', ...board.start(args, job) } as unknown as CallToolResult;
}

export function serveTasks(server: Server, board: TaskBoard): void {
  const known = (taskId: string, context: ServerContext) => {
    requireTasks(context);
    const task = board.get(taskId);
    if (task === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown task: ${taskId}`);
    return task;
  };
  server.setRequestHandler('tasks/get', { params: OF_TASK }, ({ taskId }, context) => ({ ...known(taskId, context) }));
  server.setRequestHandler('tasks/update', { params: OF_TASK }, ({ taskId }, context) => {
    known(taskId, context);
    // The SDK takes answers out of the parameters, of this method as of a retried call.
    board.answer(taskId, context.mcpReq.inputResponses ?? {});
    return {};
  });
  server.setRequestHandler('tasks/cancel', { params: OF_TASK }, ({ taskId }, context) => {
    known(taskId, context);
    board.cancel(taskId);
    return {};
  });
}
