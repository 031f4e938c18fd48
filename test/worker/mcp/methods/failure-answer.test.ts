import { expect, it } from 'vitest';
import { failureData } from '../../../../src/mcp/methods/failure-answer.ts';
import { failure } from '../../../../src/policy/failure.ts';

it('tells programs which limit left no room', () => {
  const limit = { tier: 'mcp_client', name: 'claude-code/github', tool: 'create_issue', amount: 5, unit: 'requests', period: '1m', resetsAt: '2026-11-22T12:31:00Z' } as const; // prettier-ignore
  expect(failureData(failure('rate_limited', 'Too fast.', { retryAfterSeconds: 30, limit }))).toEqual({
    code: 'rate_limited',
    retry_after_seconds: 30,
    tier: 'mcp_client',
    name: 'claude-code/github',
    tool: 'create_issue',
    limit: 5,
    unit: 'requests',
    period: '1m',
    resets_at: '2026-11-22T12:31:00Z',
  });
  expect(failureData(failure('upstream_error', 'It broke.'))).toEqual({ code: 'upstream_error' });
});
