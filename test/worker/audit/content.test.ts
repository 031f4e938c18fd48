import { describe, expect, it } from 'vitest';
import { auditContent, MAX_CONTENT_LENGTH } from '../../../src/audit/content.ts';

const call = {
  arguments: { path: '/tmp/a', password: 'hunter2' },
  result: { content: [{ type: 'text', text: 'done' }] },
};
const SHA256_HEX = /^[0-9a-f]{64}$/;

function nested(depth: number): unknown {
  return JSON.parse('['.repeat(depth) + ']'.repeat(depth));
}

describe('by policy', () => {
  it('none keeps nothing', async () => {
    expect(await auditContent('none', call)).toEqual({});
  });

  it('hash keeps the digest alone', async () => {
    expect(await auditContent('hash', call)).toEqual({ args_sha256: expect.stringMatching(SHA256_HEX) });
  });

  it('redacted keeps the shape without the secret', async () => {
    const kept = await auditContent('redacted', call);
    expect(kept.args_sha256).toMatch(SHA256_HEX);
    expect(kept.arguments).toBe('{"path":"/tmp/a","password":"[redacted]"}');
    expect(kept.result).toBe('{"content":[{"type":"text","text":"done"}]}');
  });

  it('full keeps all', async () => {
    expect((await auditContent('full', call)).arguments).toBe('{"path":"/tmp/a","password":"hunter2"}');
  });

  it('has nothing to say of what was not there', async () => {
    expect(await auditContent('full', {})).toEqual({});
  });
});

it('hashes the canonical form: the digest is that of the RFC 8785 text', async () => {
  // printf '{"a":[1,null],"b":"é"}' | sha256sum
  const digest = 'e03c3c1ebb5fccd76e3bd35b9a86169f35e6f1b069645d48ac278175f54c4208';
  expect((await auditContent('hash', { arguments: { b: 'é', a: [1, null] } })).args_sha256).toBe(digest);
  expect((await auditContent('hash', { arguments: { a: [1, null], b: 'é' } })).args_sha256).toBe(digest);
});

it('cuts what is too long, says so, and stays JSON', async () => {
  const kept = await auditContent('full', { result: 'x'.repeat(MAX_CONTENT_LENGTH) });
  const { notice, begins } = JSON.parse(kept.result ?? '');
  expect(notice).toBe(`cut: ${MAX_CONTENT_LENGTH + 2} characters, more than the ${MAX_CONTENT_LENGTH} that are kept`);
  expect(begins).toMatch(/^"x{8191}$/);
  const whole = await auditContent('full', { result: 'x'.repeat(MAX_CONTENT_LENGTH - 2) });
  expect(whole.result).toHaveLength(MAX_CONTENT_LENGTH);
});

it('survives arguments nested past the stack', async () => {
  const deep = nested(200_000);
  expect(await auditContent('hash', { arguments: deep })).toEqual({});
  expect((await auditContent('full', { arguments: deep })).arguments).toMatch(/^{"notice":"cut: 400000 characters/);
  expect((await auditContent('redacted', { arguments: deep })).arguments).toContain('nested too deeply');
});
