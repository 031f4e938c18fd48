import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { literalsOf, mayExpandTo, mayOverlap, parseQualifiedUri, qualifyUri } from '../../../src/mcp/resource-uri.ts';

const upstream = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,8}$/);
/** Among them such as look qualified themselves. */
const uri = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.constantFrom('file:///a', 'ui://app/view', 'mcp+a+file:///b', 'ui://mcp+a+x', 'mcp+', 'ui://', 'mcp+A+x', '\n'),
);

describe('a qualified URI', () => {
  it('leads back to its server and its URI, whatever that looks like', () => {
    fc.assert(
      fc.property(upstream, uri, (name, own) => {
        expect(parseQualifiedUri(qualifyUri(name, own))).toEqual({ upstream: name, uri: own });
      }),
    );
  });

  it.each([
    ['file:///x', 'mcp+files+file:///x'],
    ['repo://{owner}/{path}', 'mcp+files+repo://{owner}/{path}'],
    ['ui://chart/view.html', 'ui://mcp+files+chart/view.html'],
  ])('of %s is %s', (own, shown) => {
    expect(qualifyUri('files', own)).toBe(shown);
  });

  it.each(['file:///x', 'mcp+files', 'mcp++x', 'mcp+Files+x', 'http://mcp+files+x', ''])('%s is none', (plain) => {
    expect(parseQualifiedUri(plain)).toBeUndefined();
  });
});

describe('a template', () => {
  it.each([
    ['test://{id}/data', 'test://7/data', true],
    ['test://{id}/data', 'test://7/date', false],
    ['test://{id}', 'other://7', false],
    ['{+all}', 'anything:at-all', true],
    ['a{x}b{y}c', 'a-b-c', true],
    ['a{x}b{y}c', 'a-c-b', false],
    ['plain://one', 'plain://one', true],
    ['plain://one', 'plain://one/more', false],
    ['aba{x}aba', 'aba', false],
    ['weather://{city}{?day,unit}', 'weather://oslo?day=1', true],
  ])('%s for %s: %s', (template, candidate, expected) => {
    expect(mayExpandTo(literalsOf(template), candidate)).toBe(expected);
  });

  const part = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 3 });
  it('claims all its expansions, and overlaps with every other that claims one of them', () => {
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 4 }),
        fc.array(part, { minLength: 4, maxLength: 4 }),
        part,
        (parts, values, other) => {
          const expansion = parts.reduce((text, next, index) => text + (values[index] ?? '') + next);
          const literals = literalsOf(parts.join('{x}'));
          expect(mayExpandTo(literals, expansion)).toBe(true);
          const second = literalsOf(`${other}{rest}`);
          if (mayExpandTo(second, expansion)) expect(mayOverlap(literals, second)).toBe(true);
        },
      ),
    );
  });

  it('made to be slow is not', () => {
    const literals = literalsOf(Array.from({ length: 200 }, (_, index) => `{+v${index}}a`).join(''));
    const startedAt = performance.now();
    expect(mayExpandTo(literals, `${'a'.repeat(100_000)}!`)).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(100);
  });
});
