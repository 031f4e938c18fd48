// Whatever a model writes into an argument, the request goes where the operation is, and the argument arrives as it was.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiRequest } from '../../../../src/mcp/openapi/request.ts';
import { planFor } from './descriptions.ts';

const BASES = [
  'https://api.example/v1',
  'https://api.example',
  'https://api.example:8443/a/b/?key=k3y',
  'http://127.0.0.1:9/x%20y/',
];

/** What tries to break out, and what only looks as if. */
const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc
    .array(
      fc.constantFrom(
        '..',
        '.',
        '/',
        '\\',
        '%2f',
        '%2F',
        '%2e',
        '%5c',
        '?',
        '#',
        '&',
        '=',
        ';',
        ':',
        '@',
        '//evil.example',
        '\r\n',
        '\0',
        '\t',
        ' ',
        'a',
        '%',
        '{x}',
        '[',
        ']',
        '\u2028',
        '\uFF0E\uFF0E\uFF0F',
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join('')),
);
const scalar = fc.oneof(nasty, fc.integer(), fc.boolean());
const anything = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(nasty, scalar, { maxKeys: 3 }));
const base = fc.constantFrom(...BASES);

const segmentsOf = (pathname: string): string[] => pathname.split('/');

describe('the address of a call', () => {
  const plan = planFor(
    {
      parameters: [
        { name: 'q', in: 'query' },
        { name: 'two', in: 'path' },
      ],
    },
    '/things/{one}/parts/x-{two}.json',
  );

  it('has each path argument in its own segment, unchanged', () => {
    let built = 0;
    fc.assert(
      fc.property(base, nasty, nasty, nasty, (root, one, two, q) => {
        const request = apiRequest(root, plan, { one, two, q });
        if (!request.ok) return;
        built += 1;
        const { url } = request.value;
        const { origin, pathname, search } = new URL(root);
        const prefix = segmentsOf(pathname.replace(/\/$/, ''));
        expect(url.origin).toBe(origin);
        expect(url.username + url.password + url.hash).toBe('');
        const segments = segmentsOf(url.pathname);
        expect(segments.slice(0, prefix.length)).toEqual(prefix);
        expect(segments.slice(prefix.length).map(decodeURIComponent)).toEqual([
          'things',
          one,
          'parts',
          `x-${two}.json`,
        ]);
        const own = new URLSearchParams(search);
        expect([...url.searchParams]).toEqual([['q', q], ...own]);
      }),
      { numRuns: 2_000 },
    );
    // A test that refused everything would prove nothing.
    expect(built).toBeGreaterThan(500);
  });

  it('stays under the API’s path for values of every kind and every style', () => {
    const styles = ['simple', 'label', 'matrix'].flatMap((style) =>
      [true, false].map((explode) => ({ style, explode })),
    );
    const plans = styles.map((style) =>
      planFor(
        {
          parameters: [
            { name: 'one', in: 'path', schema: {}, ...style },
            { name: 'q', in: 'query', style: 'deepObject', schema: {} },
            { name: 'r', in: 'query', schema: {} },
          ],
        },
        '/things/{one}',
      ),
    );
    let built = 0;
    fc.assert(
      fc.property(base, fc.constantFrom(...plans), anything, anything, anything, (root, styled, one, q, r) => {
        const request = apiRequest(root, { ...styled, withheld: ['key'] }, { one, q, r });
        if (!request.ok) return;
        built += 1;
        const { url } = request.value;
        const home = new URL(root);
        const prefix = home.pathname.replace(/\/$/, '');
        expect(url.origin).toBe(home.origin);
        expect(url.pathname.startsWith(`${prefix}/things/`)).toBe(true);
        expect(segmentsOf(url.pathname)).toHaveLength(segmentsOf(prefix).length + 2);
        expect(url.hash).toBe('');
        expect(url.searchParams.getAll('key')).toEqual(home.searchParams.getAll('key'));
      }),
      { numRuns: 2_000 },
    );
    expect(built).toBeGreaterThan(500);
  });

  it('has headers that end where they should', () => {
    const headers = planFor({
      parameters: [
        { name: 'x-h', in: 'header' },
        { name: 'c', in: 'cookie' },
      ],
    });
    fc.assert(
      fc.property(nasty, nasty, (h, c) => {
        const request = apiRequest('https://api.example', headers, { 'x-h': h, c });
        if (!request.ok) return;
        const names = [...request.value.headers.keys()];
        expect(names.toSorted()).toEqual(['accept', 'cookie', 'user-agent', 'x-h']);
        expect(request.value.headers.get('x-h')).toBe(h.replaceAll(/^[\t ]+|[\t ]+$/g, ''));
        expect(decodeURIComponent(request.value.headers.get('cookie') ?? '')).toBe(`c=${c}`);
      }),
      { numRuns: 500 },
    );
  });
});
