// What the agent loop needs to know of a wire format. One codec per dialect; the loop knows none of them by name.
import type { JsonObject } from '../../lib/json-value.ts';
import type { SseEvent } from '../../lib/sse-parser.ts';
import type { ListedTool, ToolRun, ToolUse } from './toolbox.ts';

/** One answer of the model, as far as running its tools is concerned. */
export interface ModelTurn {
  readonly toolUses: readonly ToolUse[];
  /** False where something in the turn is the caller's to handle: an answer cut short, several choices, other kinds of calls. */
  readonly canContinue: boolean;
  /** What the model said, as it has to stand in the conversation ahead of the results. */
  readonly said: readonly JsonObject[];
}

/** A turn whose tools the gateway ran. */
export interface Round {
  /** The body of the model's answer. */
  readonly answer: JsonObject;
  readonly runs: readonly ToolRun[];
}

/**
 * Makes one stream of the streams of several turns. What may be a turn's last words, and calls that the gateway may
 * run, are held until it is known whose they are; everything else goes out as it comes. All strings are wire text.
 */
export interface StreamSplice {
  /** @param mayRun whether the gateway may run tools after this turn; if not, nothing is held */
  beginTurn(mayRun: boolean): void;
  read(event: SseEvent): string;
  /** The turn whose tools are to be run; undefined where it is the caller's. */
  endTurn(): ModelTurn | undefined;
  /** The turn is the caller's after all: what was held of it. */
  release(): string;
  /** The turn's tools are about to run. */
  running(uses: readonly ToolUse[]): string;
  /** They ran. What was held of the turn is dropped. */
  ran(runs: readonly ToolRun[]): string;
  /** Ends the stream. @param body of an error, in the dialect */
  fail(body: JsonObject): string;
}

export interface AgentDialect {
  /** The top-level member of a request that holds the conversation. */
  readonly conversation: 'messages' | 'input';
  /** The names of the tools that a request brings along. */
  toolNames(request: unknown): readonly string[];
  /** A tool as a request offers it. @param schema portable */
  offer(tool: ListedTool, description: string, schema: JsonObject): JsonObject;
  /** Whether the request forces the model to call a tool: its caller wants to see the call, and a loop would not end. */
  forcesTools(request: unknown): boolean;
  /** The conversation with earlier runs of the gateway's own in the form the provider knows; undefined where none is in it. */
  restored(request: unknown): readonly unknown[] | undefined;
  readAnswer(answer: JsonObject): ModelTurn;
  /** The conversation after a turn. @returns either items to add to it, or all that it is to be */
  continued(
    request: unknown,
    said: readonly JsonObject[],
    runs: readonly ToolRun[],
  ): { readonly add: readonly unknown[] } | { readonly replace: readonly unknown[] };
  /** The one answer that the caller gets for all turns. */
  composed(rounds: readonly Round[], last: JsonObject): JsonObject;
  createSplice(isAuto: (name: string) => boolean): StreamSplice;
  /** A tool call out of an answer in this dialect; undefined where it is of another one. */
  readToolUse(item: unknown): ToolUse | undefined;
  /** What a caller that runs its tools itself adds to the conversation. */
  resultItem(run: ToolRun): JsonObject;
}
