// What a call can cost at most, before it is sent.
import type { Bounds } from '../../budget/amounts.ts';
import type { Amounts } from '../../budget/limits.ts';
import { toNanoUsd, type NanoUsd } from '../../budget/money.ts';
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { failure, type Failure } from '../../policy/failure.ts';
import type { ModelPricing } from '../model-price.ts';
import type { Operation } from '../operation.ts';
import { chatDemand } from './chat-completions.ts';
import type { Demand } from './demand.ts';
import { embeddingsDemand } from './embeddings.ts';
import { embedContentDemand, generateContentDemand } from './generate-content.ts';
import { EXTENDED_WINDOW, WINDOW_MARGIN_PERCENT } from './limits.ts';
import { imageBound } from './media.ts';
import { messagesDemand } from './messages.ts';
import { responsesDemand } from './responses.ts';
import { hidesThinking } from './thinking.ts';
import { inNanoUsd, worstPrice } from './worst-price.ts';

/** What of a call is bounded by a limit: nothing else is estimated, or charged. */
export type BoundedMetrics = Pick<Bounds, 'cost' | 'tokens'>;

export interface CallToEstimate {
  readonly operation: Pick<Operation, 'dialect' | 'path'>;
  /** Parsed, and its length as it was sent. */
  readonly body: unknown;
  readonly byteLength: number;
  /** Both by the names that the operator knows. */
  readonly provider: string;
  readonly model: string;
  readonly pricing: ModelPricing | 'free' | undefined;
  readonly bounded: BoundedMetrics;
}

export interface Estimate {
  /** What the call is to be admitted with. Zero in what no limit bounds. */
  readonly need: Amounts;
  readonly bounded: BoundedMetrics;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** How many answers are generated at once. */
  readonly answers: number;
  /** Of all input and all that is charged by the piece. */
  readonly inputCost: NanoUsd;
  /** Trillionths of a dollar for one token of output. */
  readonly outputRate: number;
  /** The provider reads on after tools of its own: what it reports at first is not all. */
  readonly inputMayGrow: boolean;
  /** The bytes of the answer say nothing of its tokens: sound, pictures, predictions. */
  readonly outputIsOpaque: boolean;
  readonly hidesThinking: boolean;
}

const ONE_REQUEST: Estimate = {
  need: { cost: toNanoUsd(0), tokens: 0, requests: 1 },
  bounded: { cost: false, tokens: false },
  inputTokens: 0,
  outputTokens: 0,
  answers: 1,
  inputCost: toNanoUsd(0),
  outputRate: 0,
  inputMayGrow: false,
  outputIsOpaque: false,
  hidesThinking: false,
};

const EMBEDDING = /embedContents?$/i;
const COUNTING = /count_?tokens$/i;

/** An upper bound, except for what `docs/estimates.md` lists. */
export function estimateNeed(call: CallToEstimate): Result<Estimate, Failure> {
  const { operation, body, pricing, bounded } = call;
  const isFree = pricing === 'free';
  // Counting tokens costs nothing, and uses none.
  if ((!bounded.cost && !bounded.tokens) || COUNTING.test(operation.path) || !isObject(body)) return ok(ONE_REQUEST);
  if (bounded.cost && pricing === undefined) return err(notPriced(call));
  const demand = demandOf(call, body);
  if (demand.problem !== undefined) return err(demand.problem);

  const window = windowOf(isFree ? undefined : pricing);
  const input = inputOf(call, demand, window);
  if (!input.ok) return input;
  const output = outputOf(call, demand, window);
  if (!output.ok) return output;
  const inputTokens = input.value;
  const outputTokens = output.value;
  const estimate: Estimate = {
    ...ONE_REQUEST,
    need: { cost: toNanoUsd(0), tokens: bounded.tokens ? counted(inputTokens + outputTokens) : 0, requests: 1 },
    bounded,
    inputTokens,
    outputTokens,
    answers: demand.answers,
    inputMayGrow: demand.turns > 1 || demand.readsOn,
    outputIsOpaque: demand.answersWithAudio || demand.answersWithImages || demand.predictedTokens > 0,
    hidesThinking: hidesThinking(operation.dialect, call.model, body),
  };
  return !bounded.cost || pricing === undefined || isFree ? ok(estimate) : withCost(call, pricing, demand, estimate);
}

function demandOf({ operation, model }: CallToEstimate, body: JsonObject): Demand {
  if (operation.dialect === 'gemini')
    return EMBEDDING.test(operation.path) ? embedContentDemand(body) : generateContentDemand(body, model);
  switch (operation.path) {
    case '/messages':
      return messagesDemand(body);
    case '/responses':
      return responsesDemand(body);
    case '/embeddings':
      return embeddingsDemand(body);
    default:
      return chatDemand(body);
  }
}

/** In LLM tokens; undefined where it is not known. */
function windowOf(pricing: ModelPricing | undefined): number | undefined {
  const published = pricing?.contextWindow;
  if (pricing === undefined || published === undefined) return undefined;
  const entry = pricing.price['input_mtok'];
  const isExtended = typeof entry === 'object' && entry.tiers.some(({ start }) => start >= published);
  const window = isExtended ? Math.max(published, EXTENDED_WINDOW) : published;
  return Math.ceil((window * (100 + WINDOW_MARGIN_PERCENT)) / 100);
}

/** A token is a byte of text at least; what is no text is bounded apart, and what cannot be bounded fills the window. */
function inputOf(call: CallToEstimate, demand: Demand, window: number | undefined): Result<number, Failure> {
  const image = demand.images === 0 ? NO_IMAGE : imageBound(call.model);
  if (demand.isOpen || image === undefined)
    return window === undefined ? err(inputUnbounded(call)) : ok(counted(window * (image?.weight ?? 1) * demand.turns));
  const text = Math.max(0, call.byteLength - demand.mediaCharacters) + demand.hiddenTokens;
  const once = text + demand.images * image.tokens + demand.audioTokens;
  // Each text of a list to embed has the window to itself.
  const most = window === undefined || demand.isInputOnly ? once : Math.min(once, window * image.weight);
  return ok(counted(most * demand.turns));
}

const NO_IMAGE = { tokens: 0, weight: 1 };

function outputOf(call: CallToEstimate, demand: Demand, window = Infinity): Result<number, Failure> {
  if (demand.isInputOnly) return ok(0);
  const { pricing } = call;
  const modelMax = (pricing === 'free' ? undefined : pricing?.maxOutputTokens) ?? Infinity;
  const most = demand.mayThinkBeyond ? window : Math.min(modelMax, window);
  // What is free answers in the gateway, with what it was told.
  const unasked = pricing === 'free' ? Math.min(most, call.byteLength + demand.hiddenTokens) : most;
  const each = Math.min(demand.maxOutput ?? unasked, most);
  if (each === Infinity) return err(outputUnbounded(call));
  return ok(counted(each * demand.answers + demand.predictedTokens));
}

function withCost(
  call: CallToEstimate,
  { price, rates }: ModelPricing,
  demand: Demand,
  estimate: Estimate,
): Result<Estimate, Failure> {
  const { inputTokens, outputTokens, need } = estimate;
  const worst = worstPrice(price, rates, demand, inputTokens);
  if ('entry' in worst) return err(notPriced(call, worst.entry));
  const audioTokens = Math.min(demand.audioTokens * demand.turns, inputTokens);
  const inputPico = (inputTokens - audioTokens) * worst.input + audioTokens * worst.audio + worst.fees;
  return ok({
    ...estimate,
    need: { ...need, cost: inNanoUsd(inputPico + outputTokens * worst.output) },
    inputCost: inNanoUsd(inputPico),
    outputRate: worst.output,
  });
}

/** More than can be counted is more than any limit. */
function counted(tokens: number): number {
  return Math.min(tokens, Number.MAX_SAFE_INTEGER);
}

function notPriced({ provider, model }: CallToEstimate, entry?: string): Failure {
  const what =
    entry === undefined
      ? `The price of the model "${model}" of the provider "${provider}" is not known`
      : `The model "${model}" of the provider "${provider}" has no known price for what this request may use (${entry})`;
  return failure(
    'model_not_priced',
    `${what}, and a budget bounds this key. Its operator can price it under providers[].prices of "${provider}".`,
    { param: 'model' },
  );
}

function inputUnbounded({ provider, model }: CallToEstimate): Failure {
  return failure(
    'invalid_request',
    `This request refers to something whose length is known to the provider alone (a file, an earlier conversation, a picture, a tool that the provider runs), and the context window of the model "${model}" is not known, so its cost cannot be bounded and a limit applies. Send the content as text, or have the operator set context_window under providers[].prices of "${provider}".`,
  );
}

function outputUnbounded({ provider, model, operation }: CallToEstimate): Failure {
  const param = MAX_OUTPUT_PARAM.get(operation.path) ?? (operation.dialect === 'gemini' ? GEMINI_MAX : 'max_tokens');
  return failure(
    'invalid_request',
    `How long the answer may be is not known, and a limit applies: give "${param}", or have the operator set max_output_tokens for the model "${model}" under providers[].prices of "${provider}".`,
    { param },
  );
}

const GEMINI_MAX = 'generationConfig.maxOutputTokens';
const MAX_OUTPUT_PARAM: ReadonlyMap<string, string> = new Map([
  ['/chat/completions', 'max_completion_tokens'],
  ['/responses', 'max_output_tokens'],
]);
