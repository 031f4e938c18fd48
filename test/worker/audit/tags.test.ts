import { describe, expect, it } from 'vitest';
import { parseTags } from '../../../src/audit/tags.ts';

describe('good', () => {
  it.each([
    ['team=search,run=42', { team: 'search', run: '42' }],
    [' team = search , run=', { team: 'search', run: '' }],
    ['url=https://x/?a=b', { url: 'https://x/?a=b' }],
    ['a.b/c:d-e_f=1', { 'a.b/c:d-e_f': '1' }],
    ['team=поиск é 👩‍💻', { team: 'поиск é 👩‍💻' }],
    [`${'k'.repeat(64)}=${'v'.repeat(256)}`, { ['k'.repeat(64)]: 'v'.repeat(256) }],
    [null, undefined],
    [undefined, undefined],
    ['  ', undefined],
  ])('%s', (header, tags) => {
    expect(parseTags(header)).toEqual({ ok: true, value: tags });
  });
});

describe('bad', () => {
  it.each([
    ['team', '"team" has no "="'],
    ['a=1,', '"" has no "="'],
    ['=1', 'the key "" must begin'],
    ['__proto__=1', 'the key "__proto__" must begin'],
    ['a b=1', 'the key "a b" must begin'],
    ['a=1,a=2', '"a" is given twice'],
    [`${'k'.repeat(65)}=1`, 'is longer than 64 characters'],
    [`a=${'v'.repeat(257)}`, 'the value of "a" is longer than 256 characters'],
    ['a=x\ty', 'the value of "a" holds what does not print'],
    ['a=x\u0085y', 'what does not print'],
    ['a=x\u2028y', 'what does not print'],
    ['a=x\u202ey', 'what does not print'],
    ['a=x\ufffdy', 'is not UTF-8'],
    [Array.from({ length: 17 }, (_, index) => `k${index}=1`).join(','), '17 tags are too many; at most 16'],
  ])('%s', (header, problem) => {
    const parsed = parseTags(header);
    expect(parsed).toMatchObject({ ok: false, error: { code: 'invalid_request', param: 'x-sallyport-tags' } });
    expect(parsed.ok || parsed.error.message).toContain(`x-sallyport-tags: `);
    expect(parsed.ok || parsed.error.message).toContain(problem);
  });
});

it('takes sixteen', () => {
  const header = Array.from({ length: 16 }, (_, index) => `k${index}=1`).join(',');
  expect(parseTags(header)).toMatchObject({ ok: true, value: { k0: '1', k15: '1' } });
});

it('takes no halves of characters', () => {
  expect(parseTags('a=x\ud800y')).toMatchObject({ ok: false });
});
