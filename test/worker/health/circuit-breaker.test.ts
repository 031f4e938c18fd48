import { array, assert, constant, double, integer, oneof, property, record, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closedBreaker, FAILURES_TO_OPEN, transition } from '../../../src/health/circuit-breaker.ts';
import type { Breaker, BreakerEvent } from '../../../src/health/circuit-breaker.ts';

const FAILURE = { kind: 'failure', jitter: 0.5 } as const;
const SUCCESS = { kind: 'success' } as const;
const TICK = { kind: 'tick' } as const;

function failures(count: number, from: Breaker = closedBreaker, now = 0): Breaker {
  let breaker = from;
  for (let index = 0; index < count; index++) breaker = transition(breaker, FAILURE, now);
  return breaker;
}

const events = array(
  tuple(
    integer({ min: 0, max: 600_000 }),
    oneof(
      constant<BreakerEvent>(SUCCESS),
      constant<BreakerEvent>(TICK),
      record({ kind: constant('failure' as const), jitter: double({ min: 0, max: 0.999, noNaN: true }) }),
    ),
  ),
);

describe('a circuit breaker', () => {
  it('opens after failures in a row, not before', () => {
    expect(failures(FAILURES_TO_OPEN - 1).state).toBe('closed');
    expect(failures(FAILURES_TO_OPEN).state).toBe('open');
    const interrupted = transition(failures(FAILURES_TO_OPEN - 1), SUCCESS, 0);
    expect(failures(FAILURES_TO_OPEN - 1, interrupted).state).toBe('closed');
  });

  it('lets a trial through when its time has passed', () => {
    const open = failures(FAILURES_TO_OPEN, closedBreaker, 1_000);
    expect(transition(open, TICK, open.retryAt - 1).state).toBe('open');
    expect(transition(open, TICK, open.retryAt).state).toBe('half_open');
  });

  it('closes when the trial succeeds, and stays open longer when it fails', () => {
    const open = failures(FAILURES_TO_OPEN);
    const trial = transition(open, TICK, open.retryAt);
    expect(transition(trial, SUCCESS, open.retryAt)).toEqual(closedBreaker);
    const again = transition(trial, FAILURE, open.retryAt);
    expect(again.state).toBe('open');
    expect(again.retryAt - open.retryAt).toBeGreaterThan(open.retryAt);
  });

  it('is not held open by calls that had begun before it opened', () => {
    const open = failures(FAILURES_TO_OPEN);
    expect(failures(100, open, open.retryAt - 1).retryAt).toBe(open.retryAt);
  });

  it('holds whatever happens: open has a time within five minutes, and success closes', () => {
    assert(
      property(events, (history) => {
        let breaker = closedBreaker;
        let now = 0;
        let inARow = 0;
        for (const [elapsed, event] of history) {
          now += elapsed;
          const before = breaker;
          breaker = transition(breaker, event, now);
          if (event.kind === 'success') inARow = 0;
          if (event.kind === 'failure') inARow += 1;
          expect(breaker.failures).toBe(inARow);
          expect(breaker.state === 'closed').toBe(inARow < FAILURES_TO_OPEN);
          if (breaker.state === 'open' && before !== breaker)
            expect(breaker.retryAt - now).toBeLessThanOrEqual(300_000);
          if (event.kind === 'tick' && breaker.state === 'half_open')
            expect(now).toBeGreaterThanOrEqual(breaker.retryAt);
        }
      }),
    );
  });
});
