// What the agent loop needs of the room that knows tools. The adapter lives in `mcp/`; the composition root joins them.
import type { JsonObject } from '../../lib/json-value.ts';
import type { Result } from '../../lib/result.ts';
import type { Failure } from '../../policy/failure.ts';

export interface ListedTool {
  /** As the model calls it: `^[a-zA-Z0-9_-]{1,64}$`, and no two alike. */
  readonly name: string;
  readonly description?: string;
  /** The tool's own JSON Schema, as its server gave it. */
  readonly inputSchema: JsonObject;
  /** Whether the gateway may run it without asking the caller. */
  readonly autoExecute: boolean;
}

/** A tool call as a model asks for it. */
export interface ToolUse {
  /** The model's own id of it. */
  readonly id: string;
  readonly name: string;
  /** Undefined where the model wrote something that is no JSON object. */
  readonly arguments: JsonObject | undefined;
}

export type ToolContent =
  | { readonly type: 'text'; readonly text: string }
  /** `data` in base64. */
  | { readonly type: 'image'; readonly data: string; readonly mimeType: string };

/** What the model is told of a call, failed ones included. */
export interface ToolAnswer {
  readonly isError: boolean;
  readonly content: readonly ToolContent[];
}

export interface ToolCallContext {
  /** Ends the call, at the upstream too. */
  readonly signal: AbortSignal;
  /** The audit event of the model call that asked for it. */
  readonly parentId?: string;
}

/** The tools that one caller may use. */
export interface Toolbox {
  /** In an order that stays, for the sake of prompt caches. */
  list(): Promise<readonly ListedTool[]>;
  /**
   * Checks the arguments, calls the tool and records it. Fails with `tool_not_allowed` where the caller has no such
   * tool, whether or not there is one, and where the call did not come to an answer of the tool's.
   */
  call(use: ToolUse, context: ToolCallContext): Promise<Result<ToolAnswer, Failure>>;
}

/** One call and what came of it. */
export interface ToolRun {
  readonly use: ToolUse;
  readonly answer: ToolAnswer;
}
