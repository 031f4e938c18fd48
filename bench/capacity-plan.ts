// What a front of the capacity bench is told to do, and what it says it did.
import type { Limit } from '../src/budget/limits.ts';

export interface CapacityPlan {
  readonly operation: 'acquire' | 'settle';
  /** Calls outstanding at once. */
  readonly concurrency: number;
  readonly seconds: number;
  /** Events of one call of `settle`. */
  readonly batch: number;
  readonly limits: readonly Limit[];
}

export interface CapacityResult {
  readonly operations: number;
  readonly seconds: number;
  readonly refused: number;
}
