import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchesAny, unitePatterns } from '../../../src/policy/patterns.ts';

const name = fc.string({ unit: fc.constantFrom('a', 'b', '_'), maxLength: 4 });
const pattern = fc.oneof(
  name,
  name.map((prefix) => `${prefix}*`),
);
const patterns = fc.array(pattern, { maxLength: 4 });

it('allows through a union exactly what one of its parts allows', () => {
  fc.assert(
    fc.property(patterns, patterns, name, (left, right, candidate) => {
      expect(matchesAny(unitePatterns(left, right), candidate)).toBe(
        matchesAny(left, candidate) || matchesAny(right, candidate),
      );
    }),
  );
});

it('keeps a union without repetitions', () => {
  expect(unitePatterns(['a', 'b*'], ['b*', 'c'])).toEqual(['a', 'b*', 'c']);
  expect(unitePatterns(['a'], ['*', 'b*'])).toEqual(['*']);
});
