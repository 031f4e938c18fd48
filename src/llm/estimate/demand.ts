// What a request asks for, as far as its cost depends on it. Each dialect fills one in; where it is in doubt it asks for more.
import { at, isObject, type JsonObject } from '../../lib/json-value.ts';
import { failure, type Failure } from '../../policy/failure.ts';
import { audioTokens, base64Length } from './media.ts';
import { TEMPLATE_TOKENS, UNSTATED_USES } from './limits.ts';

/** More than any budget has room for, and few enough to be multiplied. */
export const MOST_TURNS = 1_000_000;

/** What of a tool that the provider runs is charged by the piece. */
export type ToolFee = 'webSearches' | 'fileSearches' | 'codeSessions';

export class Demand {
  /** Characters of the body that are no text to the model: media in base64, which are counted apart. */
  mediaCharacters = 0;
  images = 0;
  audioTokens = 0;
  /** Prompts that the vendor adds. */
  hiddenTokens = TEMPLATE_TOKENS;
  /** Something is referred to, or fetched on the way, whose size is known to the provider alone. */
  isOpen = false;
  /** Of what is open, some may be sound or moving pictures. */
  mayHoldMedia = false;
  /** How often the provider may read the input, tools of its own in between; as far as the request says. */
  turns = 1;
  /** The provider reads the input again after what its own tools have found. */
  readsOn = false;
  readonly fees: Record<ToolFee, number> = { webSearches: 0, fileSearches: 0, codeSessions: 0 };

  /** Output tokens of one answer; undefined where the request does not say. */
  maxOutput: number | undefined;
  /** Thinking is on top of `maxOutput`, up to the whole context window. */
  mayThinkBeyond = false;
  answers = 1;
  /** Output that is charged for although it is none: the part of a prediction that was wrong. */
  predictedTokens = 0;
  /** No output at all. */
  isInputOnly = false;
  answersWithAudio = false;
  answersWithImages = false;

  /** Of input that is written to a cache: how long it is kept, as far as that has a price. */
  cacheWrite: 'none' | 'short' | 'hour' = 'none';
  /** Terms other than the usual ones that are asked for, as `Usage.terms` names them; those that are cheaper left out. */
  readonly terms: string[] = [];
  /** Terms that the provider may choose on its own; they count where their rate is known. */
  readonly possibleTerms: string[] = [];

  /** What is wrong with the request, where something is. */
  problem: Failure | undefined;

  /**
   * The number that stands at `param`, or undefined where there is none.
   * @param param as a path: `generationConfig.maxOutputTokens`
   * @param within where in the request `body` stands, if it is not all of it: `tools[0].`
   */
  count(body: unknown, param: string, least: number, within = ''): number | undefined {
    const value = at(body, ...param.split('.'));
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least)
      return Math.min(value, Number.MAX_SAFE_INTEGER);
    this.problem ??= failure(
      'invalid_request',
      `"${within}${param}" must be a whole number of at least ${least}: a limit applies to this key, and this is what it is held against.`,
      { param: `${within}${param}` },
    );
    return undefined;
  }

  /** @param source base64, a data URL or the address of an image */
  addImage(source: unknown): void {
    this.images++;
    this.mediaCharacters += base64Length(source, 'data:image/');
  }

  addAudio(data: unknown, format: unknown, tokensPerSecond: number): void {
    const tokens = typeof data === 'string' ? audioTokens(data, format, tokensPerSecond) : undefined;
    if (tokens === undefined) return this.addOpenMedia();
    this.audioTokens += tokens;
    this.mediaCharacters += typeof data === 'string' ? base64Length(data, 'data:') : 0;
  }

  /** Something that could be text, pictures or sound. */
  addOpenMedia(): void {
    this.isOpen = true;
    this.mayHoldMedia = true;
  }

  /**
   * A tool that runs at the provider, whose results the model then reads.
   * @param uses how often at most; undefined where the request does not bound it
   */
  addProviderTool(uses: number | undefined, fee?: ToolFee): void {
    this.isOpen = true;
    this.readsOn = true;
    this.turns = Math.min(this.turns + (uses ?? 0), MOST_TURNS);
    if (fee !== undefined) this.fees[fee] += Math.min(uses ?? UNSTATED_USES, MOST_TURNS);
  }

  /** @param block of content, a tool, or a request, that may say that it is to be cached */
  noteCacheControl(block: JsonObject): void {
    const control = block['cache_control'];
    if (!isObject(control)) return;
    if (control['ttl'] === '1h') this.cacheWrite = 'hour';
    else if (this.cacheWrite === 'none') this.cacheWrite = 'short';
  }

  /** @param budget of thinking; as much as the answer may have in all, it is thought between tools, on top */
  noteThinkingBudget(budget: number | undefined): void {
    if (budget === undefined || this.maxOutput === undefined || budget < this.maxOutput) return;
    this.maxOutput += budget;
    this.mayThinkBeyond = true;
  }
}

/** The objects of a list; what is no object means nothing to any dialect. */
export function objectsIn(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : NONE;
}

const NONE: readonly never[] = [];

/** What is no name is another's: no vendor knows it. */
export function nameOf(value: unknown): string {
  return typeof value === 'string' ? value : 'other';
}

export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
