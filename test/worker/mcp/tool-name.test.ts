import { assert as check, oneof, property, shuffledSubarray, string, stringMatching, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { namePrefix, parseQualifiedName, qualifyNames } from '../../../src/mcp/tool-name.ts';

const VALID = /^[a-zA-Z0-9_-]{1,64}$/;

function shownAs(upstream: string, wireNames: Iterable<string>): Map<string, string> {
  return new Map([...qualifyNames(upstream, wireNames)].map(([shown, wire]) => [wire, shown]));
}

describe('qualified tool names', () => {
  it('joins server and tool where the result is valid', () => {
    expect(shownAs('github-mcp', ['search_code']).get('search_code')).toBe('github-mcp__search_code');
  });

  it('mends invalid characters and shortens long names behind a hash', () => {
    const long = 'a'.repeat(90);
    const shown = shownAs('s', ['a.b/c d', long, 'ünïcode', '']);
    expect(shown.get('a.b/c d')).toMatch(/^s__a_b_c_d--[0-9a-z]{8}$/);
    expect(shown.get(long)).toHaveLength(64);
    expect(new Set(shown.values()).size).toBe(4);
    for (const name of shown.values()) expect(name).toMatch(VALID);
  });

  it('keeps apart what mending would make equal, and forged hashes', () => {
    const [first] = shownAs('s', ['a.b']).values();
    const forged = first?.slice('s__'.length) ?? '';
    const shown = shownAs('s', ['a.b', 'a b', 'a_b', forged]);
    expect(new Set(shown.values()).size).toBe(4);
    expect(shown.get('a.b')).toBe(first);
    expect(shown.get('a_b')).toBe('s__a_b');
  });

  it('parses back to server and wire name, whatever underscores the tool begins with', () => {
    expect(parseQualifiedName('a-b___x__y')).toEqual({ upstream: 'a-b', wireName: '_x__y' });
    expect(parseQualifiedName('s__a_b--0123abcd')).toEqual({ upstream: 's' });
    expect(parseQualifiedName('search_code')).toBeUndefined();
    expect(parseQualifiedName('__x')).toBeUndefined();
  });
});

describe('two wire names with one hash', () => {
  // Found by trying eight million names; both are shortened to the same beginning.
  const twins = [`${'x'.repeat(60)}1hg9`, `${'x'.repeat(60)}4zyv`];

  it('are really such', () => {
    expect(shownAs('s', twins.slice(0, 1)).values().next()).toEqual(shownAs('s', twins.slice(1)).values().next());
  });

  it('are told apart, in whatever order they come', () => {
    const names = qualifyNames('s', twins);
    expect(names.size).toBe(2);
    expect(qualifyNames('s', twins.toReversed())).toEqual(names);
  });
});

describe('for any tools of any upstream', () => {
  const upstreamName = stringMatching(/^[a-z0-9][a-z0-9-]{0,39}$/);
  const wireName = oneof(
    string({ unit: 'grapheme', maxLength: 120 }),
    stringMatching(/^[a-zA-Z0-9_-]{1,90}$/),
    stringMatching(/^[ab._/ -]{1,4}(--[0-9a-z]{8})?$/),
  );
  const wireNames = uniqueArray(wireName, { maxLength: 40 });

  it('every name is valid, unique, begins with its prefix and maps back', () => {
    check(
      property(upstreamName, wireNames, (upstream, wires) => {
        const names = qualifyNames(upstream, wires);
        expect([...names.values()].toSorted()).toEqual(wires.toSorted());
        for (const [shown, wire] of names) {
          expect(shown).toMatch(VALID);
          expect(shown.startsWith(namePrefix(upstream))).toBe(true);
          const parsed = parseQualifiedName(shown);
          expect(parsed?.upstream).toBe(upstream);
          expect(parsed?.wireName ?? wire).toBe(wire);
        }
      }),
    );
  });

  it('no two upstreams share a name', () => {
    check(
      property(uniqueArray(upstreamName, { minLength: 2, maxLength: 5 }), wireNames, (upstreams, wires) => {
        const all = upstreams.flatMap((upstream) => [...qualifyNames(upstream, wires).keys()]);
        expect(new Set(all).size).toBe(all.length);
      }),
    );
  });

  it('names do not change when other tools come or go, nor with the order', () => {
    check(
      property(
        upstreamName,
        wireNames.chain((wires) => shuffledSubarray(wires).map((some) => ({ wires, some }))),
        (upstream, { wires, some }) => {
          const all = shownAs(upstream, wires);
          for (const [wire, shown] of shownAs(upstream, some)) expect(all.get(wire)).toBe(shown);
        },
      ),
    );
  });
});
