// What budgets are charged for a call that is over, also where nobody said what it used.
import type { Amounts } from '../../budget/limits.ts';
import { toNanoUsd, type NanoUsd } from '../../budget/money.ts';
import type { Usage } from '../../budget/usage.ts';
import { UNSEEN_PERCENT, UNSEEN_TOKENS, UNSEEN_TOKENS_PER_SECOND } from './limits.ts';
import type { Estimate } from './need.ts';
import { inNanoUsd } from './worst-price.ts';

/**
 * What became of a call at its provider: `not_sent` certainly never reached it, `refused` was answered with an error,
 * `answered` well, at least at first, and of what is `lost` nothing is known but that it was sent.
 */
export type Fate = 'not_sent' | 'refused' | 'answered' | 'lost';

export interface EndedCall {
  readonly fate: Fate;
  readonly usage?: Usage;
  /** Of generated text, thoughts and arguments of tools included, as far as it was seen. */
  readonly outputBytes?: number;
  /** From when the call was sent until the last was heard of it. */
  readonly elapsedMs?: number;
}

/** A proxy before the provider gave up waiting: what is behind it may still work. */
const GAVE_UP_WAITING: ReadonlySet<number> = new Set([504, 524]);

export function fateOfStatus(status: number): Fate {
  if (status < 300) return 'answered';
  return GAVE_UP_WAITING.has(status) ? 'lost' : 'refused';
}

/**
 * Never below what the provider can charge, except where its own usage is all there is to go by.
 * @param costOf of usage, at the prices of the call; undefined where something of it has none
 */
export function chargeOf(
  estimate: Estimate,
  { fate, usage, outputBytes, elapsedMs }: EndedCall,
  costOf: (usage: Usage) => NanoUsd | undefined,
): Amounts {
  const { bounded, need } = estimate;
  if (fate === 'not_sent') return { cost: toNanoUsd(0), tokens: 0, requests: 0 };
  if (fate === 'refused') return { cost: toNanoUsd(0), tokens: 0, requests: 1 };
  const known = (amount: (of: Usage) => number | undefined): number => (usage === undefined ? 0 : (amount(usage) ?? 0));
  if (usage?.certainty === 'exact' && usage.inputTokens !== undefined)
    return {
      cost: bounded.cost ? (costOf(usage) ?? need.cost) : need.cost,
      tokens: bounded.tokens ? tokensOf(usage) : 0,
      requests: 1,
    };

  const seen = fate === 'answered' && (usage !== undefined || (outputBytes ?? 0) > 0);
  const most = seen ? seenAtMost(estimate, usage, outputBytes, elapsedMs, costOf) : need;
  return {
    // What the provider has said holds, whatever had been expected.
    cost: bounded.cost ? toNanoUsd(Math.max(most.cost, known(costOf))) : need.cost,
    tokens: bounded.tokens ? Math.max(most.tokens, known(tokensOf)) : 0,
    requests: 1,
  };
}

function tokensOf({ inputTokens = 0, outputTokens = 0 }: Usage): number {
  return inputTokens + outputTokens;
}

/** Of an answer that was cut short, or that did not say what it used. */
function seenAtMost(
  estimate: Estimate,
  usage: Usage | undefined,
  outputBytes: number | undefined,
  elapsedMs: number | undefined,
  costOf: (usage: Usage) => NanoUsd | undefined,
): Pick<Amounts, 'cost' | 'tokens'> {
  const { need, bounded } = estimate;
  const output = outputAtMost(estimate, usage?.outputTokens ?? 0, outputBytes, elapsedMs);
  const isInputKnown = usage?.inputTokens !== undefined && !estimate.inputMayGrow;
  const inputTokens = isInputKnown ? (usage.inputTokens ?? 0) : estimate.inputTokens;
  const inputCost = isInputKnown && bounded.cost ? costOf(inputOnly(usage)) : estimate.inputCost;
  const cost = (inputCost ?? estimate.inputCost) + inNanoUsd(output * estimate.outputRate);
  return {
    cost: toNanoUsd(Math.min(need.cost, cost)),
    tokens: Math.min(need.tokens, inputTokens + output),
  };
}

function inputOnly(usage: Usage): Usage {
  return { ...usage, outputTokens: 0, reasoningTokens: 0, outputAudioTokens: 0, outputImageTokens: 0 };
}

/** A token that was seen was a byte at least. What was thought out of sight is bounded by time alone. */
function outputAtMost(
  { outputTokens, outputIsOpaque, hidesThinking, answers }: Estimate,
  reported: number,
  outputBytes: number | undefined,
  elapsedMs: number | undefined,
): number {
  if (outputIsOpaque || outputBytes === undefined || (hidesThinking && elapsedMs === undefined)) return outputTokens;
  const shown = Math.max(reported, outputBytes);
  const thought = hidesThinking ? ((elapsedMs ?? 0) / 1000) * UNSEEN_TOKENS_PER_SECOND * answers : 0;
  const unseen = Math.max(UNSEEN_TOKENS * answers, (shown * UNSEEN_PERCENT) / 100);
  return Math.min(outputTokens, Math.ceil(shown + thought + unseen));
}
