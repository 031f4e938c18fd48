import { array, assert, boolean, constantFrom, property, record, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { healthReport, observe, unknownCondition } from '../../../src/health/condition.ts';
import type { Condition, Observation, ReportContext } from '../../../src/health/condition.ts';

const CONTEXT: ReportContext = { disabled: false, nextCheckAt: 1, toolCount: 0 };
const GOOD: Observation = { source: 'probe', ok: true, latencyMs: 12 };
const CALLED: Observation = { source: 'call', ok: true, latencyMs: 12 };
const bad = (more: Partial<Extract<Observation, { ok: false }>> = {}): Observation => ({
  source: 'probe',
  ok: false,
  stage: 'connect',
  message: 'refused',
  needsAuth: false,
  jitter: 0.5,
  ...more,
});

function after(...observations: Observation[]): Condition {
  return observations.reduce(
    (condition, observation, index) => observe(condition, observation, 100 + index),
    unknownCondition,
  );
}

describe('the state reported', () => {
  it.each([
    ['unknown', unknownCondition, CONTEXT],
    ['unknown', after(CALLED), CONTEXT],
    ['healthy', after(GOOD), CONTEXT],
    ['failing', after(GOOD, bad()), CONTEXT],
    ['failing', after(GOOD, bad({ source: 'call' })), CONTEXT],
    ['healthy', after(bad(), CALLED), CONTEXT],
    ['needs_auth', after(bad({ needsAuth: true })), CONTEXT],
    ['needs_auth', after(bad({ needsAuth: true }), bad({ source: 'call' })), CONTEXT],
    ['failing', after(bad({ needsAuth: true }), bad()), CONTEXT],
    ['healthy', after(bad({ needsAuth: true }), GOOD), CONTEXT],
    ['idle', after(GOOD), { ...CONTEXT, nextCheckAt: undefined }],
    ['failing', after(bad()), { ...CONTEXT, nextCheckAt: undefined }],
    ['disabled', after(GOOD), { ...CONTEXT, disabled: true }],
  ] as const)('is %s', (state, condition, context) => {
    expect(healthReport(condition, context, 200).state).toBe(state);
  });

  it('tells what was observed', () => {
    const context = { ...CONTEXT, era: 'legacy', toolCount: 3, note: 'some left out' } as const;
    expect(healthReport(after(GOOD), context, 200)).toEqual({
      state: 'healthy',
      breaker: 'closed',
      era: 'legacy',
      checkedAt: 100,
      nextCheckAt: 1,
      latencyMs: 12,
      consecutiveFailures: 0,
      toolCount: 3,
      note: 'some left out',
    });
  });

  it('opens the breaker with the time of its next trial, and lets that time pass', () => {
    const condition = after(bad(), bad(), bad());
    const open = healthReport(condition, CONTEXT, 200);
    expect(open).toMatchObject({ breaker: 'open', retryAt: expect.any(Number), consecutiveFailures: 3 });
    expect(healthReport(condition, CONTEXT, open.retryAt ?? 0)).toMatchObject({ breaker: 'half_open' });
  });
});

describe('the last error', () => {
  it('tells its stage, its time, and since when failures have run', () => {
    const { lastError } = after(bad(), GOOD, bad(), bad({ stage: 'list', message: 'HTTP 500' }));
    expect(lastError).toEqual({ stage: 'list', message: 'HTTP 500', at: 103, since: 102 });
  });

  it('is kept after recovery', () => {
    expect(after(bad(), GOOD).lastError).toMatchObject({ message: 'refused' });
  });

  it('keeps the beginning and the last words of a long message', () => {
    const { lastError } = after(bad({ message: `it ended\n${'noise\n'.repeat(500)}fatal: no token` }));
    expect(lastError?.message).toMatch(/^it ended\n…/);
    expect(lastError?.message).toMatch(/fatal: no token$/);
    expect(lastError?.message.length).toBeLessThanOrEqual(500);
  });

  it('is never longer than 500 characters', () => {
    assert(
      property(string({ maxLength: 3_000 }), (message) => {
        expect((after(bad({ message })).lastError?.message ?? '').length).toBeLessThanOrEqual(500);
      }),
    );
  });
});

it('counts failed probes apart from failed calls, and a success ends both', () => {
  const step = record({ source: constantFrom('probe' as const, 'call' as const), good: boolean() });
  assert(
    property(array(step), (steps) => {
      let condition = unknownCondition;
      let failures = 0;
      let probes = 0;
      for (const { source, good } of steps) {
        condition = observe(condition, good ? { source, ok: true, latencyMs: 1 } : bad({ source }), 0);
        failures = good ? 0 : failures + 1;
        probes = good ? 0 : probes + (source === 'probe' ? 1 : 0);
        expect([condition.failures, condition.failedProbes]).toEqual([failures, probes]);
      }
    }),
  );
});
