// What a call of a model is charged: at most, before it is sent, and in truth, when it is over.
import type { SettledCharge, Ticket } from '../budget/admission.ts';
import { admit, type LimitPorts } from '../budget/admit.ts';
import { boundsOf } from '../budget/amounts.ts';
import type { ChargePlan } from '../budget/limits.ts';
import type { NanoUsd } from '../budget/money.ts';
import { remembered } from '../lib/remembered.ts';
import { ok, type Result } from '../lib/result.ts';
import type { Failure } from '../policy/failure.ts';
import { chargeOf, type EndedCall } from './estimate/charge.ts';
import { estimateNeed, type BoundedMetrics, type Estimate } from './estimate/need.ts';
import type { LlmRequestBody } from './model-name.ts';
import { modelPricing } from './model-price.ts';
import type { Operation } from './operation.ts';
import type { ModelTarget } from './resolve-model.ts';

export interface CallToAdmit {
  /** At least one. */
  readonly plans: readonly ChargePlan[];
  readonly operation: Operation;
  readonly body: LlmRequestBody;
  readonly target: ModelTarget;
}

/** What became of an admitted call. */
export type CallFate = Omit<EndedCall, 'estimate'>;

export interface SettledCall {
  /** For the recorder. */
  readonly charges: readonly SettledCharge[];
  /** What budgets were charged; undefined where none bounds the call. */
  readonly chargedCost?: NanoUsd;
}

/** A call that limits let pass. Settled once. */
export class AdmittedCall {
  readonly #ticket: Ticket;
  readonly #estimate: Estimate;

  constructor(ticket: Ticket, estimate: Estimate) {
    this.#ticket = ticket;
    this.#estimate = estimate;
  }

  /** Undefined where no budget bounds the call. */
  get estimatedCost(): NanoUsd | undefined {
    return this.#estimate.bounded.cost ? this.#estimate.need.cost : undefined;
  }

  /** Whether its usage has to be known. */
  get isMetered(): boolean {
    const { cost, tokens } = this.#estimate.bounded;
    return cost || tokens;
  }

  settle(fate: CallFate): SettledCall {
    const charged = chargeOf({ ...fate, estimate: this.#estimate });
    const charges = fate.progress === 'not_sent' ? this.#ticket.cancel() : this.#ticket.settle(charged);
    return { charges, ...(this.#estimate.bounded.cost && { chargedCost: charged.cost }) };
  }
}

/** Fails as `admit` does, with `model_not_priced`, and where the request cannot be bounded. */
export async function admitCall(ports: LimitPorts, call: CallToAdmit): Promise<Result<AdmittedCall, Failure>> {
  const { plans, operation, body, target } = call;
  const estimate = estimateNeed({
    operation,
    body: body.value,
    byteLength: body.byteLength,
    provider: target.provider.name,
    model: target.model,
    pricing: modelPricing(target, ports.now()),
    bounded: boundedBy(plans),
  });
  if (!estimate.ok) return estimate;
  const ticket = await admit(ports, plans, estimate.value.need);
  return ticket.ok ? ok(new AdmittedCall(ticket.value, estimate.value)) : ticket;
}

// A plan is compiled once and asked about with every request.
const bounds = new WeakMap<readonly ChargePlan[], BoundedMetrics>();

function boundedBy(plans: readonly ChargePlan[]): BoundedMetrics {
  return remembered(bounds, plans, () => boundsOf(plans.flatMap(({ limits }) => limits)));
}
