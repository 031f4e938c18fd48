import { expect, it } from 'vitest';
import type { LimitStanding } from '../../../src/budget/admission.ts';
import type { Metric } from '../../../src/budget/limits.ts';
import { rateLimitHeaders } from '../../../src/http/rate-limit-headers.ts';

const NOW = Date.UTC(2026, 10, 22, 12);

function standing(metric: Metric, amount: number, more: Partial<LimitStanding> = {}): LimitStanding {
  const limit = { id: 'any', tier: 'team', name: 'eng', metric, amount, window: { period: '1m', calendar: false } } as const; // prettier-ignore
  return { limit, spent: 0, reserved: 0, presumed: 0, over: 0, ...more };
}
const headersOf = (standings: readonly LimitStanding[], dialect: 'openai' | 'anthropic' = 'openai') =>
  Object.fromEntries(rateLimitHeaders(standings, dialect, NOW));

it('says nothing where nothing is limited by requests or tokens', () => {
  expect(headersOf([])).toEqual({});
  expect(headersOf([standing('cost', 5), standing('concurrent', 5)], 'anthropic')).toEqual({});
});

it('tells of the limit of which the least is left', () => {
  const standings = [
    standing('requests', 60, { spent: 10, resetsAt: NOW + 30_000 }),
    standing('requests', 1_000, { spent: 950, reserved: 10, resetsAt: NOW + 360_000 }),
    standing('requests', 100),
    standing('tokens', 5_000, { spent: 6_000, resetsAt: NOW + 999 }),
  ];
  expect(headersOf(standings)).toEqual({
    'x-ratelimit-limit-requests': '1000',
    'x-ratelimit-remaining-requests': '40',
    'x-ratelimit-reset-requests': '6m0s',
    'x-ratelimit-limit-tokens': '5000',
    'x-ratelimit-remaining-tokens': '0',
    'x-ratelimit-reset-tokens': '1s',
  });
});

it("tells Anthropic's clients in their own headers too", () => {
  expect(headersOf([standing('requests', 60, { spent: 1, resetsAt: NOW + 1_500 })], 'anthropic')).toEqual({
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '59',
    'x-ratelimit-reset-requests': '2s',
    'anthropic-ratelimit-requests-limit': '60',
    'anthropic-ratelimit-requests-remaining': '59',
    'anthropic-ratelimit-requests-reset': '2026-11-22T12:00:02Z',
  });
});

it.each([
  [undefined, '0s'],
  [NOW - 5_000, '0s'],
  [NOW + 59_001, '1m0s'],
  [NOW + 86_400_000, '24h0m0s'],
])('writes the time until %s as %s', (resetsAt, text) => {
  const headers = headersOf([standing('requests', 60, resetsAt === undefined ? {} : { resetsAt })], 'anthropic');
  expect(headers['x-ratelimit-reset-requests']).toBe(text);
  expect(Date.parse(headers['anthropic-ratelimit-requests-reset'] ?? '')).toBeGreaterThanOrEqual(NOW);
});
