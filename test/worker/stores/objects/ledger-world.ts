// Isolates and ledgers with a network between them that does as it is told, and a clock that stands still unless moved.
import type { LedgerEntry } from '../../../../durable-objects/contracts.ts';
import type { Recorder } from '../../../../src/audit/recorder.ts';
import type { Admission, Charge, LimitStanding, Refusal, Ticket } from '../../../../src/budget/admission.ts';
import { Ledger } from '../../../../src/budget/ledger.ts';
import { LeasePool } from '../../../../src/budget/lease-pool.ts';
import type { HolderReport, LeaseRequest } from '../../../../src/budget/lease.ts';
import type { Amounts, ChargePlan, Limit, Metric } from '../../../../src/budget/limits.ts';
import { toNanoUsd } from '../../../../src/budget/money.ts';
import type { Env } from '../../../../src/env.ts';
import { AuditBuffer } from '../../../../src/stores/objects/audit-buffer.ts';
import { createRecorder } from '../../../../src/stores/objects/audit-recorder.ts';
import { createAdmission } from '../../../../src/stores/objects/ledger-admission.ts';
import { surrender } from '../../../../src/stores/objects/lease-keeper.ts';
import { TestClock } from './test-clock.ts';

export type Message =
  | { readonly kind: 'acquire'; readonly body: LeaseRequest }
  | { readonly kind: 'report'; readonly body: HolderReport }
  | { readonly kind: 'record'; readonly body: readonly LedgerEntry[] };

/** A message on its way; what becomes of it is up to the test. */
export interface Letter {
  readonly ledger: string;
  readonly message: Message;
  /** Arrives, once more each time. */
  deliver(): void;
  /** The answer to the first delivery arrives; where there was none, this is it. */
  reply(): void;
  fail(fault: unknown): void;
}

/** One process that holds leases. */
export interface Isolate {
  readonly pool: LeasePool;
  readonly buffer: AuditBuffer;
  /** As one request has them. */
  readonly admission: Admission;
  readonly recorder: Recorder;
  surrender(until: number): Promise<boolean>;
  /** Nothing it does from here on arrives, and nothing arrives there. */
  crash(): void;
}

/** What is to be done after the response is done all the same, until the world ends. */
const waitUntil = (): void => {};

export class World {
  readonly clock = new TestClock();
  readonly ledgers = new Map<string, Ledger>();
  readonly letters: Letter[] = [];
  readonly sent: Message[] = [];
  /** Charges that no ledger knew the lease of. */
  readonly unknown: Charge[] = [];
  /** Whether letters wait for the test. */
  isHeld = false;

  ledger(name: string): Ledger {
    let ledger = this.ledgers.get(name);
    if (ledger === undefined) {
      const source = { counter: () => undefined, spend: () => [] };
      ledger = new Ledger({ leases: [], plans: [], slots: [], changedAt: 0 }, source, this.clock.now);
      this.ledgers.set(name, ledger);
    }
    return ledger;
  }

  isolate(): Isolate {
    let isAlive = true;
    const call = (ledger: string, message: Message): Promise<unknown> =>
      isAlive ? this.#send(ledger, message, () => isAlive) : new Promise(() => {});
    const env = {
      BUDGET_LEDGER: {
        getByName: (ledger: string) => ({
          acquire: (body: LeaseRequest) => call(ledger, { kind: 'acquire', body }),
          report: (body: HolderReport) => call(ledger, { kind: 'report', body }),
          record: (body: readonly LedgerEntry[]) => call(ledger, { kind: 'record', body }),
        }),
      },
    } as unknown as Pick<Env, 'BUDGET_LEDGER'>;
    const time = { now: () => this.clock.now, sleep: (ms: number) => this.clock.sleep(ms) };
    const leases = { pool: new LeasePool(), ...time };
    const buffer = new AuditBuffer();
    const recorder = createRecorder(env, waitUntil, { buffer, ...time });
    return {
      pool: leases.pool,
      buffer,
      recorder,
      admission: createAdmission({ env, waitUntil, settled: recorder.settled }, leases),
      surrender: (until) => surrender(env, until, leases),
      crash: () => {
        isAlive = false;
      },
    };
  }

  standings(plan: ChargePlan): readonly LimitStanding[] {
    return this.ledger(plan.ledger).standings(plan.limits, this.clock.now);
  }

  standing(plan: ChargePlan, metric: Metric): LimitStanding {
    const found = this.standings(plan).find(({ limit }) => limit.metric === metric);
    if (found === undefined) throw new Error(`no limit of ${metric}`);
    return found;
  }

  #send(ledger: string, message: Message, isAlive: () => boolean): Promise<unknown> {
    const sent = structuredClone(message);
    this.sent.push(sent);
    const answer = Promise.withResolvers<unknown>();
    let outcome: (() => void) | undefined;
    const letter: Letter = {
      ledger,
      message: sent,
      deliver: () => {
        const first = this.#process(ledger, structuredClone(sent), answer);
        outcome ??= first;
      },
      reply: () => {
        if (outcome === undefined) letter.deliver();
        if (isAlive()) outcome?.();
      },
      fail: (fault) => {
        if (isAlive()) answer.reject(fault);
      },
    };
    if (this.isHeld) this.letters.push(letter);
    else letter.reply();
    return answer.promise;
  }

  /** @returns what tells the sender */
  #process(name: string, message: Message, answer: PromiseWithResolvers<unknown>): () => void {
    try {
      const outcome = this.#outcomeOf(this.ledger(name), message);
      return () => answer.resolve(outcome);
    } catch (fault) {
      return () => answer.reject(fault);
    }
  }

  #outcomeOf(ledger: Ledger, { kind, body }: Message): unknown {
    const { now } = this.clock;
    if (kind === 'acquire') return structuredClone(ledger.acquire(body, now));
    if (kind === 'report') return ledger.report(body, now);
    const { unknown } = ledger.record(
      body.flatMap(({ charge }) => charge ?? []),
      now,
    );
    this.unknown.push(...unknown);
    return undefined;
  }
}

export const CENT = toNanoUsd(10_000_000);

export function need(cost: number, tokens = 0): Amounts {
  return { cost: toNanoUsd(cost), tokens, requests: 1 };
}

const DAY = { period: '1d', calendar: true };

export function limitOf(metric: Metric, amount: number, more: Partial<Limit> = {}): Limit {
  const id = more.id ?? `${metric}-counter`;
  return {
    id,
    tier: 'virtual_key',
    name: 'k',
    metric,
    amount,
    ...(metric !== 'concurrent' && { window: DAY }),
    ...more,
  };
}

export function planOf(limits: readonly Limit[], ledger = 'key:k'): ChargePlan {
  return { id: JSON.stringify([ledger, limits]), ledger, limits };
}

/** The request was let in. */
export async function admitted(isolate: Isolate, plans: readonly ChargePlan[], amounts: Amounts): Promise<Ticket> {
  const outcome = await isolate.admission.admit(plans, amounts);
  if (!outcome.ok) throw new Error(`refused: ${JSON.stringify(outcome.error)}`);
  return outcome.value;
}

export async function refused(isolate: Isolate, plans: readonly ChargePlan[], amounts: Amounts): Promise<Refusal> {
  const outcome = await isolate.admission.admit(plans, amounts);
  if (outcome.ok) throw new Error('not refused');
  return outcome.error;
}
