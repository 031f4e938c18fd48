// What changes in a fixture while it runs: a tool and a prompt that come and go, a resource with a new content.
import { ASKING_TOOLS } from './asking-tools.ts';
import type { AskingTool } from './asking-tools.ts';
import { PASSING_PROMPT, PROMPTS } from './surface.ts';
import type { PromptDefinition } from './surface.ts';
import { PASSING_TOOL, PLAIN_TOOLS } from './tools.ts';
import type { Change, PlainTool, ToolDefinition } from './tools.ts';

export class SurfaceState {
  readonly #listeners = new Set<(change: Change) => void>();
  #passing = { tools: false, prompts: false };

  subscribe(listener: (change: Change) => void): void {
    this.#listeners.add(listener);
  }

  unsubscribe(listener: (change: Change) => void): void {
    this.#listeners.delete(listener);
  }

  change(what: Change): void {
    if (what !== 'watched-resource') this.#passing = { ...this.#passing, [what]: !this.#passing[what] };
    for (const listener of this.#listeners) listener(what);
  }

  tools(): (PlainTool | AskingTool)[] {
    return [...PLAIN_TOOLS, ...ASKING_TOOLS, ...(this.#passing.tools ? [PASSING_TOOL] : [])];
  }

  prompts(): PromptDefinition[] {
    return [...PROMPTS, ...(this.#passing.prompts ? [PASSING_PROMPT] : [])];
  }
}

/** What a list shows of a tool. */
export function definitionOf({ name, description, inputSchema }: ToolDefinition): ToolDefinition {
  return { name, description, inputSchema };
}
