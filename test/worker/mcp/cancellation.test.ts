import { expect, it } from 'vitest';
import { cancelRequest, forgetRequest, trackRequest } from '../../../src/mcp/cancellation.ts';

it('marks the one request that is meant', () => {
  const meant = trackRequest('client', 1);
  const others = [trackRequest('client', 2), trackRequest('client', '1'), trackRequest('other', 1)];
  cancelRequest('client', 1);
  expect(meant.cancelled).toBe(true);
  for (const other of others) expect(other.cancelled).toBe(false);
});

it('marks none where two could be meant, and the one that is left', () => {
  const [one, two] = [trackRequest('shared', 1), trackRequest('shared', 1)];
  cancelRequest('shared', 1);
  expect([one.cancelled, two.cancelled]).toEqual([false, false]);
  forgetRequest('shared', 1, one);
  cancelRequest('shared', 1);
  expect([one.cancelled, two.cancelled]).toEqual([false, true]);
});

it('knows nothing of a request that is over', () => {
  const over = trackRequest('client', 9);
  forgetRequest('client', 9, over);
  cancelRequest('client', 9);
  expect(over.cancelled).toBe(false);
});
