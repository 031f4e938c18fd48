// Ids of tasks (`io.modelcontextprotocol/tasks`, and the tasks of 2025-11-25) where several servers share an endpoint:
// with the server's name before them they find their way back.
import { isObject, type JsonObject } from '../lib/json-value.ts';
import { namePrefix } from './tool-name.ts';

const RELATED_TASK_KEY = 'io.modelcontextprotocol/related-task';

export function qualifyTaskId(upstream: string, id: string): string {
  return namePrefix(upstream) + id;
}

/** @returns undefined where the id names no server */
export function parseTaskId(shown: string): { readonly upstream: string; readonly id: string } | undefined {
  const [upstream = '', ...rest] = shown.split('__');
  return upstream === '' || rest.length === 0 ? undefined : { upstream, id: rest.join('__') };
}

/** Wherever results and notifications of either generation have one. */
export function taskIdsMapped(value: JsonObject, map: (id: string) => string): JsonObject {
  const { taskId, task, tasks, _meta: meta } = value;
  const related = isObject(meta) ? meta[RELATED_TASK_KEY] : undefined;
  if (taskId === undefined && task === undefined && tasks === undefined && related === undefined) return value;
  const mapped = (one: unknown): unknown =>
    isObject(one) && typeof one['taskId'] === 'string' ? { ...one, taskId: map(one['taskId']) } : one;
  return {
    ...value,
    ...(typeof taskId === 'string' && { taskId: map(taskId) }),
    ...(task !== undefined && { task: mapped(task) }),
    ...(Array.isArray(tasks) && { tasks: tasks.map(mapped) }),
    ...(isObject(meta) && related !== undefined && { _meta: { ...meta, [RELATED_TASK_KEY]: mapped(related) } }),
  };
}
