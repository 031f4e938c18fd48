// What kinds of notifications there are, as far as it matters to whom they go.

export const LIST_CHANGES = {
  tools: 'notifications/tools/list_changed',
  prompts: 'notifications/prompts/list_changed',
  resources: 'notifications/resources/list_changed',
} as const;
export const RESOURCE_UPDATED = 'notifications/resources/updated';

const LIST_CHANGE_METHODS: ReadonlySet<string> = new Set(Object.values(LIST_CHANGES));

export function isListChange(method: string): boolean {
  return LIST_CHANGE_METHODS.has(method);
}

/** What concerns whoever listens, on whatever stream it comes. */
export function isChange(method: string): boolean {
  return isListChange(method) || method === RESOURCE_UPDATED;
}
