import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { utf8Length } from '../../../src/lib/utf8.ts';

it.each(['', 'plain', 'ü', '日本', '😀', 'a😀ü', '\ud800', '\udc00', '\udc00\ud800', '\ud800\ud800\udc00'])(
  'of %j as the encoder has it',
  (text) => {
    expect(utf8Length(text)).toBe(new TextEncoder().encode(text).byteLength);
  },
);

it('of any text, broken ones included', () => {
  const units = fc.array(fc.integer({ min: 0, max: 0xffff }));
  fc.assert(
    fc.property(units, (codes) => {
      const text = String.fromCharCode(...codes);
      expect(utf8Length(text)).toBe(new TextEncoder().encode(text).byteLength);
    }),
  );
});
