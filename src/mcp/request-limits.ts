// What a request to an upstream is charged, before and after: every request counts as one, and a tool costs what the
// operator says it does.
import type { Recorder } from '../audit/recorder.ts';
import type { SettledCharge, Ticket } from '../budget/admission.ts';
import { admit, type LimitPorts } from '../budget/admit.ts';
import { toNanoUsd, type NanoUsd } from '../budget/money.ts';
import { ok, type Result } from '../lib/result.ts';
import { toolPlans } from '../policy/charge-plans.ts';
import type { Failure } from '../policy/failure.ts';
import type { Upstream, VirtualKey } from '../policy/snapshot.ts';
import { toolCost } from '../policy/tool-cost.ts';
import type { Attempt } from './upstream-round.ts';

/** A request that limits let pass. */
export interface Admitted {
  /** Absent where nothing bounds the request. */
  readonly ticket?: Ticket;
  /** Of the tool; absent where the operator says nothing about it. */
  readonly cost?: NanoUsd;
}

export interface SettledRequest {
  /** For the recorder. */
  readonly charges?: readonly SettledCharge[];
  /** For the audit event. */
  readonly cost?: NanoUsd;
}

const NOTHING = toNanoUsd(0);

/** Fails as `admit` does. */
export async function admitRequest(
  ports: LimitPorts,
  key: VirtualKey,
  upstream: Upstream,
  tool?: string,
): Promise<Result<Admitted, Failure>> {
  const cost = tool === undefined ? undefined : toolCost(upstream, tool);
  const priced = cost === undefined ? {} : { cost };
  const plans = toolPlans(key, upstream, tool);
  if (plans.length === 0) return ok(priced);
  const ticket = await admit(ports, plans, { cost: cost ?? NOTHING, tokens: 0, requests: 1 });
  return ticket.ok ? ok({ ...priced, ticket: ticket.value }) : ticket;
}

/** What was sent counts, however it ended; what was not counts for nothing. To be called once. */
export function settleRequest({ ticket, cost }: Admitted, attempt: Attempt<object>): SettledRequest {
  if (attempt.upstreamMs === undefined) return ticket === undefined ? {} : { charges: ticket.cancel() };
  const actual = cost !== undefined && asksForMore(attempt) ? NOTHING : cost;
  return {
    ...(actual !== undefined && { cost: actual }),
    ...(ticket !== undefined && { charges: ticket.settle({ cost: actual ?? NOTHING, tokens: 0, requests: 1 }) }),
  };
}

/** A request that leaves no event. What fails here may have been sent, and counts. */
export async function sendUnrecorded<T>(
  ports: LimitPorts & { readonly recorder: Pick<Recorder, 'settled'> },
  key: VirtualKey,
  upstream: Upstream,
  send: () => Promise<Attempt<T>>,
): Promise<Attempt<T>['outcome']> {
  const admitted = await admitRequest(ports, key, upstream);
  if (!admitted.ok) return admitted;
  let upstreamMs: number | undefined = 0;
  try {
    const attempt = await send();
    ({ upstreamMs } = attempt);
    return attempt.outcome;
  } finally {
    const { charges = [] } = settleRequest(admitted.value, {
      outcome: ok({}),
      ...(upstreamMs !== undefined && { upstreamMs }),
    });
    ports.recorder.settled(charges);
  }
}

/** The client calls again with what the server wants to know, and the work is done, and paid for, then. */
function asksForMore({ outcome }: Attempt<object>): boolean {
  return outcome.ok && 'resultType' in outcome.value && outcome.value.resultType === 'input_required';
}
