import { expect, it } from 'vitest';
import { joinedBytes } from '../../../src/lib/bytes.ts';

it('joins pieces in their order', () => {
  const pieces = [[1, 2], [], [3], [4, 5]].map((bytes) => Uint8Array.from(bytes));
  expect([...joinedBytes(pieces)]).toEqual([1, 2, 3, 4, 5]);
  expect(joinedBytes([]).byteLength).toBe(0);
});

it('copies nothing where there is one piece only', () => {
  const piece = Uint8Array.of(1, 2);
  expect(joinedBytes([new Uint8Array(0), piece])).toBe(piece);
});
