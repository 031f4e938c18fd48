// What budgets are charged for a call that is over, also where nobody said what it used.
import { NOTHING } from '../../budget/amounts.ts';
import type { Amounts } from '../../budget/limits.ts';
import { toNanoUsd, type NanoUsd } from '../../budget/money.ts';
import type { Usage } from '../../budget/usage.ts';
import { UNSEEN_PERCENT, UNSEEN_TOKENS, UNSEEN_TOKENS_PER_SECOND } from './limits.ts';
import type { Estimate } from './need.ts';
import { inNanoUsd } from './worst-price.ts';

/**
 * How far a call got at its provider: `not_sent` certainly never reached it, `refused` was answered with an error,
 * `answered` well, at least at first, and of what is `lost` nothing is known but that it may have been sent.
 */
export type CallProgress = 'not_sent' | 'refused' | 'answered' | 'lost';

export interface EndedCall {
  readonly estimate: Estimate;
  readonly progress: CallProgress;
  readonly facts?: {
    readonly usage?: Usage;
    /** UTF-8 bytes of generated text that were seen: thoughts, and arguments of tools, included. */
    readonly outputBytes?: number;
  };
  /** Of `facts.usage`, as far as it has a price. */
  readonly cost?: NanoUsd;
  /** From when the call was sent until its provider was last heard. */
  readonly elapsedMs?: number;
}

/** A proxy before the provider gave up waiting: what is behind it may still work. */
const GAVE_UP_WAITING: ReadonlySet<number> = new Set([504, 524]);

export function progressOf(status: number): CallProgress {
  if (status < 300) return 'answered';
  return GAVE_UP_WAITING.has(status) ? 'lost' : 'refused';
}

/** Never below what the provider can charge for the call; each case is in `docs/estimates.md`. */
export function chargeOf(call: EndedCall): Amounts {
  const { bounded, need } = call.estimate;
  if (call.progress === 'not_sent') return NOTHING;
  if (call.progress === 'refused') return { ...NOTHING, requests: 1 };
  const usage = call.facts?.usage;
  const isExact = usage?.certainty === 'exact';
  const most = isExact ? need : mostOf(call);
  // What the provider itself has told holds, whatever was expected.
  const told = tokensOf(usage);
  const cost = isExact ? (call.cost ?? need.cost) : toNanoUsd(Math.max(most.cost, call.cost ?? 0));
  return {
    cost: bounded.cost ? cost : NOTHING.cost,
    tokens: bounded.tokens ? (isExact ? told : Math.max(most.tokens, told)) : 0,
    requests: 1,
  };
}

function tokensOf(usage: Usage | undefined): number {
  return (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0);
}

/** Where the usage is not known in full: what can have been used by what was seen, else all that was expected. */
function mostOf({ estimate, progress, facts, cost, elapsedMs }: EndedCall): Pick<Amounts, 'cost' | 'tokens'> {
  const { need } = estimate;
  const { inputTokens, outputTokens = 0 } = facts?.usage ?? {};
  const seenBytes = facts?.outputBytes;
  const sawNothing = inputTokens === undefined && outputTokens === 0 && (seenBytes ?? 0) === 0;
  if (progress === 'lost' || sawNothing || seenBytes === undefined) return need;

  const output = mostOutput(estimate, Math.max(outputTokens, seenBytes), elapsedMs);
  // What a provider tells at the beginning of a stream is all of the input, unless it reads on.
  const isInputTold = inputTokens !== undefined && !estimate.inputMayGrow;
  const rest = inNanoUsd(Math.max(0, output - outputTokens) * estimate.outputRate);
  return {
    cost:
      isInputTold && cost !== undefined
        ? toNanoUsd(Math.min(cost + rest, Number.MAX_SAFE_INTEGER))
        : toNanoUsd(Math.min(need.cost, estimate.inputCost + inNanoUsd(output * estimate.outputRate))),
    tokens: (isInputTold ? inputTokens : estimate.inputTokens) + output,
  };
}

/**
 * A token that was seen was a byte at least, and some more were on the way. What was thought out of sight is bounded by
 * time alone.
 */
function mostOutput(estimate: Estimate, shown: number, elapsedMs: number | undefined): number {
  const { outputTokens, outputIsOpaque, hidesThinking, answers } = estimate;
  if (outputIsOpaque || (hidesThinking && elapsedMs === undefined)) return outputTokens;
  const thought = hidesThinking ? ((elapsedMs ?? 0) / 1000) * UNSEEN_TOKENS_PER_SECOND * answers : 0;
  const unseen = Math.max(UNSEEN_TOKENS * answers, (shown * UNSEEN_PERCENT) / 100);
  return Math.min(outputTokens, Math.ceil(shown + thought + unseen));
}
