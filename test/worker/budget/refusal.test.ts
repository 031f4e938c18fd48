import { describe, expect, it } from 'vitest';
import type { Refusal } from '../../../src/budget/admission.ts';
import type { Limit } from '../../../src/budget/limits.ts';
import { limitMembers, refusalFailure } from '../../../src/budget/refusal.ts';

const NOW = Date.UTC(2026, 10, 22, 12, 30);
const MIDNIGHT = Date.UTC(2026, 10, 23);

const BUDGET: Limit = {
  id: 'any',
  tier: 'team',
  name: 'eng',
  metric: 'cost',
  amount: 100_000_000_000,
  window: { period: '1d', calendar: true },
};
const RATE: Limit = {
  ...BUDGET,
  tier: 'virtual_key',
  name: 'claude-code',
  metric: 'requests',
  amount: 60,
  window: { period: '1m', calendar: false },
};

const refusalOf = (limit: Limit, more: Partial<Refusal> = {}): Refusal => ({
  limit,
  spent: limit.amount,
  reserved: 0,
  need: 1,
  ...more,
});
const told = (refusal: Refusal): string => refusalFailure(refusal, NOW).message;

describe('a budget that is spent', () => {
  const refusal = refusalOf(BUDGET, {
    spent: 99_990_000_000,
    reserved: 9_000_000,
    need: 20_000_001,
    resetsAt: MIDNIGHT,
  });

  it('says whose it is, how it stands, what the request may need, and when to come back', () => {
    expect(told(refusal)).toBe(
      'The budget of team "eng" has no room: of $100 per calendar day, $99.99 spent, $0.009 reserved; this request may take up to $0.020000001. ' +
        'Try again at 2026-11-23T00:00:00Z, in 12 hours. A model call needs less with a lower max_tokens or a shorter input; whoever runs the gateway can raise the budget.',
    );
  });

  it('tells programs the same', () => {
    expect(refusalFailure(refusal, NOW)).toMatchObject({
      code: 'budget_exceeded',
      retryAfterSeconds: 11.5 * 3_600,
      limit: { tier: 'team', name: 'eng', amount: 100, unit: 'usd', period: '1d', resetsAt: '2026-11-23T00:00:00Z' },
    });
  });

  it('gives money as exact decimals', () => {
    const limit = { ...BUDGET, amount: 1_234_567_890_123_456 };
    expect(refusalFailure(refusalOf(limit), NOW).limit?.amount).toBe(1_234_567.890123456);
    expect(told(refusalOf(limit))).toContain('$1234567.890123456 per calendar day');
  });
});

describe('a request that never fits', () => {
  it('says so, and does not ask to wait', () => {
    const refusal = refusalOf(BUDGET, { spent: 0, need: 100_000_000_001 });
    expect(told(refusal)).toContain('may take up to $100.000000001: it never fits. A model call needs less');
    expect(refusalFailure(refusal, NOW).retryAfterSeconds).toBeUndefined();
    expect(refusalFailure(refusal, NOW).limit).not.toHaveProperty('resetsAt');
  });

  it('is told apart from one that others leave no room at present', () => {
    const refusal = refusalOf(BUDGET, { spent: 0, reserved: 90_000_000_000, need: 20_000_000_000 });
    expect(told(refusal)).toMatch(/\$0 spent, \$90 reserved; .* Try again when requests under way have ended\.$/);
    expect(refusalFailure(refusal, NOW).retryAfterSeconds).toBe(1);
    expect(told({ ...refusal, resetsAt: NOW + 1_000 })).toContain('when requests under way have ended');
    // Reserved by a gateway that is gone.
    expect(told({ ...refusal, resetsAt: MIDNIGHT })).toContain('Try again at 2026-11-23T00:00:00Z');
  });
});

describe('a rate limit', () => {
  it('is another code, and always says how long to wait', () => {
    const refusal = refusalOf(RATE, { resetsAt: NOW + 1 });
    expect(refusalFailure(refusal, NOW)).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 1 });
    expect(refusalFailure(refusalOf(RATE, { resetsAt: NOW - 5_000 }), NOW).retryAfterSeconds).toBe(1);
    expect(refusalFailure(refusalOf(RATE, { resetsAt: NOW + 40_001 }), NOW).retryAfterSeconds).toBe(41);
    expect(told(refusalOf(RATE, { resetsAt: NOW + 40_001 }))).toBe(
      'The rate limit of key "claude-code" has no room: of 60 requests per minute, 60 requests used; this request may take 1 request. ' +
        'Try again at 2026-11-22T12:30:40.001Z, in 41 seconds. Whoever runs the gateway can raise the limit.',
    );
  });

  it('asks for a whole period of patience where the request never fits', () => {
    const tokens: Limit = { ...RATE, metric: 'tokens' };
    const { window: _none, ...rest } = RATE;
    const limits: Limit[] = [
      tokens,
      { ...tokens, window: { period: '2h', calendar: false } },
      { ...rest, metric: 'concurrent', amount: 0 },
    ];
    const waits = limits.map(
      (limit) => refusalFailure(refusalOf(limit, { spent: 0, need: 2 * limit.amount + 1 }), NOW).retryAfterSeconds,
    );
    expect(waits).toEqual([60, 7_200, 60]);
  });

  it('counts LLM tokens', () => {
    const refusal = refusalOf({ ...RATE, metric: 'tokens', amount: 1_000 }, { spent: 10, need: 2_000 });
    expect(told(refusal)).toContain('is 1000 tokens per minute, and this request alone may take up to 2000 tokens');
    expect(refusalFailure(refusal, NOW).limit?.unit).toBe('tokens');
  });

  it('counts what runs at once, over no span of time', () => {
    const { window: _none, ...rest } = RATE;
    const limit: Limit = { ...rest, metric: 'concurrent', amount: 1 };
    const refused = refusalFailure({ limit, spent: 0, reserved: 1, need: 1 }, NOW);
    expect(refused.message).toBe(
      'The rate limit of key "claude-code" is 1 request at once, and 1 is running. Try again when one has ended.',
    );
    expect(refused).toMatchObject({
      code: 'rate_limited',
      retryAfterSeconds: 1,
      limit: { unit: 'concurrent_requests' },
    });
    expect(refused.limit).not.toHaveProperty('period');
    expect(told({ limit: { ...limit, amount: 0 }, spent: 0, reserved: 0, need: 1 })).toContain('can raise the limit');
  });

  it('names the server and the tool', () => {
    const limit: Limit = {
      ...BUDGET,
      tier: 'mcp_client',
      name: 'claude-code/github',
      tool: 'create_*',
      amount: 10_000_000,
    };
    const text = told(refusalOf(limit, { resetsAt: MIDNIGHT }));
    expect(text).toContain('The budget of key and server "claude-code/github" for the tool "create_*"');
    expect(text).not.toContain('max_tokens');
    const members = refusalFailure(refusalOf(limit), NOW).limit;
    expect(members && limitMembers(members)).toEqual({
      tier: 'mcp_client',
      name: 'claude-code/github',
      tool: 'create_*',
      limit: 0.01,
      unit: 'usd',
      period: '1d',
    });
  });

  it.each([
    ['7d', false, 'per 7 days'],
    ['1M', true, 'per calendar month'],
    ['1Y', false, 'per year'],
    ['90m', false, 'per 90 minutes'],
  ])('reads %s', (period, calendar, words) => {
    expect(told(refusalOf({ ...BUDGET, window: { period, calendar } }))).toContain(words);
  });
});
