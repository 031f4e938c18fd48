import type { Usage } from '../budget/usage.ts';
import type { SseEvent } from '../lib/sse-parser.ts';

/** What a response says of itself. */
export interface ResponseFacts {
  /** Absent where the answer is of a kind that uses nothing that is counted. */
  readonly usage?: Usage;
  /**
   * UTF-8 bytes of what the model said, as far as it was seen: text, reasoning, arguments of tools, transcripts. Absent
   * where that was not seen at all.
   */
  readonly outputBytes?: number;
  readonly responseModel?: string;
  /** The ids of the tool uses that the model asked for, as the model gave them. */
  readonly toolUseIds: readonly string[];
  /** Nothing of the answer is missing, even if the response ended here. */
  readonly isWhole: boolean;
  /** The stream said its last word: nothing of interest can follow. */
  readonly isFinished: boolean;
  /** The provider reported an error within a stream that had begun well. */
  readonly hasFailed: boolean;
}

/** Reads one response of one operation: its JSON body whole, or its stream event by event. */
export interface ResponseReader {
  readBody(body: unknown): void;
  readEvent(event: SseEvent): void;
  facts(): ResponseFacts;
}

const MAX_TOOL_USE_IDS = 20;

/** Collects ids once each, in order. */
export class ToolUseIds {
  readonly #ids = new Set<string>();

  add(id: string | undefined): void {
    if (id !== undefined && id !== '' && this.#ids.size < MAX_TOOL_USE_IDS) this.#ids.add(id);
  }

  list(): readonly string[] {
    return [...this.#ids];
  }
}

/** The facts of a response, of which some may not be known. */
export function responseFacts(
  usage: Usage | undefined,
  responseModel: string | undefined,
  told: Omit<ResponseFacts, 'usage' | 'responseModel' | 'outputBytes'>,
  outputBytes?: number,
): ResponseFacts {
  return {
    ...(usage !== undefined && { usage }),
    ...(outputBytes !== undefined && { outputBytes }),
    ...(responseModel !== undefined && { responseModel }),
    ...told,
  };
}
