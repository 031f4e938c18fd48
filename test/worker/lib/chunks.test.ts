import { expect, it } from 'vitest';
import { inChunks, type ChunkLimit } from '../../../src/lib/chunks.ts';

const chunks = (items: readonly string[], limit: ChunkLimit): (readonly string[])[] => [
  ...inChunks(items, limit, ({ length }) => length),
];

it('splits by number', () => {
  const items = ['a', 'b', 'c', 'd', 'e'];
  expect(chunks(items, { items: 2, characters: 1e6 })).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  expect(chunks(items, { items: 5, characters: 1e6 })).toEqual([items]);
  expect(chunks([], { items: 5, characters: 1e6 })).toEqual([]);
});

it('splits by weight, and never drops one that is too heavy', () => {
  const heavy = 'x'.repeat(10);
  const limit = { items: 9, characters: 3 };
  expect(chunks([heavy, 'b', 'cc', heavy, 'e'], limit)).toEqual([[heavy], ['b', 'cc'], [heavy], ['e']]);
});
