// What a world of gateways is made of: their steps, their limits, and what each remembers of its leases.
import * as fc from 'fast-check';
import type { LedgerEntry } from '../../../durable-objects/contracts.ts';
import type { Charge, LimitStanding } from '../../../src/budget/admission.ts';
import type { HolderReport, LeaseAnswer, LeaseRequest, LeaseTrim } from '../../../src/budget/lease.ts';
import type { Amounts, Limit } from '../../../src/budget/limits.ts';

/** The ledger under test, at whatever time `WorldClock` shows. */
export interface TestedLedger {
  acquire(request: LeaseRequest): Promise<LeaseAnswer>;
  record(entries: readonly LedgerEntry[]): Promise<void>;
  report(report: HolderReport): Promise<void>;
  standings(limits: readonly Limit[]): Promise<readonly LimitStanding[]>;
  /** Memory is lost, storage is not. */
  restart(): Promise<void>;
}

export interface WorldClock {
  wall: number;
}

export const STEPS = [
  'request', 'request', 'request', 'request', 'settle', 'settle', 'settle', 'send', 'send', 'trim', 'report', 'wait', 'wait',
  'crash', 'clock', 'configure', 'restart',
] as const; // prettier-ignore

/** What a step does with its numbers is its own matter. */
export interface Step {
  readonly kind: (typeof STEPS)[number];
  readonly isolate: number;
  readonly size: number;
  /** What becomes of its message. */
  readonly fate: 'arrives' | 'lost' | 'unanswered' | 'doubled';
}

export const someStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...STEPS),
  isolate: fc.integer({ min: 0, max: 2 }),
  size: fc.integer({ min: 0, max: 1_000 }),
  fate: fc.constantFrom('arrives', 'arrives', 'arrives', 'lost', 'unanswered', 'doubled'),
});

export type Metric = keyof Amounts;
export const METRICS: readonly Metric[] = ['cost', 'tokens', 'requests'];
export const someAmounts = (cost: number, tokens: number, requests: number): Amounts => ({
  cost: cost as Amounts['cost'],
  tokens,
  requests,
});
export const NOTHING = someAmounts(0, 0, 0);
export const mapped = (of: (metric: Metric) => number): Amounts =>
  someAmounts(of('cost'), of('tokens'), of('requests'));
export const plus = (a: Amounts, b: Amounts): Amounts => mapped((metric) => a[metric] + b[metric]);
export const minus = (a: Amounts, b: Amounts): Amounts => mapped((metric) => a[metric] - b[metric]);
export const least = (a: Amounts, b: Amounts): Amounts => mapped((metric) => Math.min(a[metric], b[metric]));

/** Whatever time passes in a run, a year is not over: what counts there counts to the end. */
export const LIMITS: readonly Limit[] = [
  { id: 'customer cost 1Y', tier: 'customer', name: 'acme', metric: 'cost', amount: 40_000, window: { period: '1Y', calendar: false } },
  { id: 'customer tokens 1m', tier: 'customer', name: 'acme', metric: 'tokens', amount: 3_000, window: { period: '1m', calendar: false } },
  { id: 'team requests 9Y', tier: 'team', name: 'eng', metric: 'requests', amount: 90, window: { period: '9Y', calendar: false } },
  { id: 'team cost 1h', tier: 'team', name: 'eng', metric: 'cost', amount: 9_000, window: { period: '1h', calendar: true } },
  { id: 'key at once', tier: 'virtual_key', name: 'one', metric: 'concurrent', amount: 3 },
  { id: 'key tokens 9Y', tier: 'virtual_key', name: 'one', metric: 'tokens', amount: 60_000, window: { period: '9Y', calendar: false } },
]; // prettier-ignore
/** Nothing ever leaves their windows, so that the model can add up. */
export const LASTING = new Set(['customer cost 1Y', 'team requests 9Y', 'key tokens 9Y']);
export const PLANS: readonly (readonly string[])[] = [
  LIMITS.map(({ id }) => id),
  ['customer cost 1Y', 'customer tokens 1m', 'team requests 9Y', 'team cost 1h'],
  ['customer cost 1Y'],
];
export const SCALES = [1, 0.25, 0.5, 2];

export interface Draw {
  readonly lease: HeldLease;
  readonly at: number;
  readonly need: Amounts;
  readonly limits: readonly string[];
  /** What it used, once it has ended. */
  actual?: Amounts;
  charge?: Charge;
  isRecorded: boolean;
  /** Its gateway was silent for so long that its slot went to others. */
  isSilenced: boolean;
}

export interface HeldLease {
  readonly id: string;
  readonly plan: number;
  readonly limits: readonly string[];
  readonly slack: Amounts;
  readonly need: Amounts;
  readonly draws: Draw[];
  undrawn: Amounts;
  released: Amounts;
  charges: number;
  isOpen: boolean;
  isTrimmed: boolean;
  /** No draw any more, by its holder's clock. */
  until: number;
}

export class Isolate {
  readonly holder: string;
  sequence = 0;
  leases: HeldLease[] = [];
  slots = 0;
  heardAt = 0;
  trims: LeaseTrim[] = [];
  charges: Draw[] = [];

  constructor(holder: string) {
    this.holder = holder;
  }

  get running(): Draw[] {
    return this.leases.flatMap(({ draws }) => draws.filter(({ actual }) => actual === undefined));
  }

  runningAtOnce(): number {
    return this.running.filter(({ limits }) => limits.includes('key at once')).length;
  }
}

export function covers({ undrawn }: HeldLease, need: Amounts): boolean {
  return METRICS.every((metric) => undrawn[metric] >= need[metric]);
}

export function same(a: Amounts, b: Amounts): boolean {
  return METRICS.every((metric) => a[metric] === b[metric]);
}
