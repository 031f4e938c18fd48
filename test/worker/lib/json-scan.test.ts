import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonErrorOffset } from '../../../src/lib/json-error.ts';
import { scanJson } from '../../../src/lib/json-scan.ts';

function spanText(text: string, key: string): string | undefined {
  const span = scanJson(text, 1).members.get(key);
  return span === undefined ? undefined : text.slice(span.start, span.end);
}

describe('member spans', () => {
  it('names exactly the text of each top-level value', () => {
    const text = ' {\t"a" :  "x\\"y\\\\" ,"b":[1, {"a":2}],\n"c":{} , "d" : -1.5e3 ,"e":null} ';
    expect(spanText(text, 'a')).toBe('"x\\"y\\\\"');
    expect(spanText(text, 'b')).toBe('[1, {"a":2}]');
    expect(spanText(text, 'c')).toBe('{}');
    expect(spanText(text, 'd')).toBe('-1.5e3');
    expect(spanText(text, 'e')).toBe('null');
  });

  it('reads keys as JSON.parse does, escapes and __proto__ included', () => {
    expect(spanText('{"mod\\u0065l":"m"}', 'model')).toBe('"m"');
    expect(spanText('{"__proto__":1}', '__proto__')).toBe('1');
  });

  it.each(['[]', '[{"a":1}]', '"model"', '7', 'null', '{}'])('has no members for %s', (text) => {
    expect(scanJson(text, 3).members.size).toBe(0);
  });

  it('agrees with JSON.parse on every object', () => {
    const objects = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue());
    fc.assert(
      fc.property(objects, fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const { members, duplicate } = scanJson(text, 5);
        expect(duplicate).toBeUndefined();
        const read = Object.fromEntries(
          [...members].map(([key, span]) => [key, JSON.parse(text.slice(span.start, span.end))]),
        );
        expect(read).toEqual(JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });
});

describe('duplicate keys', () => {
  it.each([
    ['{"model":"a","model":"b"}', 1, 'model'],
    ['{"model":"a","mod\\u0065l":"b"}', 1, 'model'],
    ['{"a":{"b":1,"b":2}}', 2, 'a.b'],
    ['{"messages":[{},{"role":1,"role":2}]}', 3, 'messages[1].role'],
    ['[{"a":1,"a":2}]', 2, '[0].a'],
    ['{"a":{"x":[{}]},"b":{"c":{"d":1,"d":1}}}', 3, 'b.c.d'],
  ])('finds the one in %s', (text, depth, path) => {
    expect(scanJson(text, depth).duplicate).toBe(path);
  });

  it.each([
    ['{"a":{"b":1,"b":2}}', 1],
    ['{"a":[{"b":1,"b":2}]}', 2],
    ['{"a":{"b":1},"b":{"b":1},"c":["b","b"]}', 3],
    ['{"a":"\\"a\\":1,\\"a\\":2"}', 3],
  ])('finds none in %s down to depth %i', (text, depth) => {
    expect(scanJson(text, depth).duplicate).toBeUndefined();
  });

  it('takes time in proportion to the text, whatever the text', () => {
    const escapes = JSON.stringify({ a: '\\"'.repeat(1_000_000), b: '['.repeat(1_000_000) });
    const nested = `{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}`;
    const before = performance.now();
    expect(scanJson(escapes, 3).members.size).toBe(2);
    expect(scanJson(nested, 3).members.size).toBe(1);
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

describe('where text stops being JSON', () => {
  it.each([
    ['', 0],
    ['{', 1],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ["{'a':1}", 1],
    ['[1 2]', 3],
    ['[1,]', 3],
    ['{"a":tru}', 5],
    ['{"a":01}', 6],
    ['{"a":"x\ny"}', 7],
    ['{"a":"\\x"}', 6],
    ['{"a":1}}', 7],
    ['\uFEFF{}', 0],
    ['<html>', 0],
    ['[1}', 2],
    ['"abc', 4],
    ['{"a":NaN}', 5],
  ])('%j: %i', (text, offset) => {
    expect(jsonErrorOffset(text)).toBe(offset);
  });

  it('takes all of what JSON.parse takes, and no more', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.constantFrom('', ',', '}', '"', '\\', '0', 'x'), (json, where, insert) => {
        const at = where % (json.length + 1);
        const text = json.slice(0, at) + insert + json.slice(at);
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        if (valid) expect(jsonErrorOffset(text)).toBe(text.length);
        else expect(jsonErrorOffset(text)).toBeLessThanOrEqual(text.length);
        // Whatever stands before the offset can still become JSON; the offset itself cannot be passed.
        if (!valid && insert === 'x' && !json.includes('"')) expect(jsonErrorOffset(text)).toBeLessThanOrEqual(at);
      }),
      { numRuns: 500 },
    );
  });
});
