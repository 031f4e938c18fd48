import { expect, it } from 'vitest';
import { canonicalJson } from '../../../src/lib/canonical-json.ts';

it.each([
  ['members by code unit, not by number', '{"9":1,"10":2,"a":3,"B":4}', '{"10":2,"9":1,"B":4,"a":3}'],
  // RFC 8785 §3.2.3: the euro sign sorts before an emoji's surrogate pair, the pair before U+FB33.
  ['members by UTF-16', '{"\\ufb33":1,"\\ud83d\\ude00":2,"\\u20ac":3}', '{"€":3,"😀":2,"\ufb33":1}'],
  [
    'numbers as ECMAScript writes them',
    '[1E30,4.50,2e-3,0.000000000000000000000000001,-0]',
    '[1e+30,4.5,0.002,1e-27,0]',
  ],
  ['nesting', '{"b":[{"d":null,"c":true}],"a":{}}', '{"a":{},"b":[{"c":true,"d":null}]}'],
  ['strings', '"\\u000f\\n\\"\\u00e9"', '"\\u000f\\n\\"é"'],
])('%s', (_name, json, canonical) => {
  expect(canonicalJson(JSON.parse(json))).toBe(canonical);
});

it('leaves undefined out, as JSON.stringify does', () => {
  expect(canonicalJson({ b: undefined, a: [undefined] })).toBe('{"a":[null]}');
});
