import { describe, expect, it } from 'vitest';
import { redact, REDACTED } from '../../../src/audit/redact.ts';

describe('names', () => {
  it.each([
    'password', 'Password', 'user_password', 'passwordHash', 'passwd', 'pwd', 'passphrase', 'secret', 'client_secret',
    'clientSecret', 'secretName', 'token', 'github_token', 'accessToken', 'GITHUB_TOKEN', 'authorization',
    'Proxy-Authorization', 'cookie', 'Set-Cookie', 'api_key', 'apiKey', 'apikey', 'x-api-key', 'X-API-Key', 'accessKey',
    'private_key', 'credentials', 'jwt', 'otp', 'auth',
  ])('%s hides its value', (name) => {
    expect(redact({ [name]: 'v' })).toEqual({ [name]: REDACTED });
    expect(redact([{ deep: { [name]: { a: 1 } } }])).toEqual([{ deep: { [name]: REDACTED } }]);
  }); // prettier-ignore

  it.each(['max_tokens', 'token_count', 'key', 'primary_key', 'keyboard', 'author', 'path', 'compass', 'tokenizer'])(
    '%s does not',
    (name) => {
      expect(redact({ [name]: 'v' })).toEqual({ [name]: 'v' });
    },
  );

  it('shows whether there was one at all', () => {
    expect(redact({ password: null, secret: true, token: 123456 })).toEqual({
      password: null,
      secret: true,
      token: REDACTED,
    });
  });

  it('reads name and value pairs', () => {
    const headers = [
      { name: 'X-Api-Key', value: 'abc' },
      { name: 'Accept', value: 'text/html' },
      { key: 'GITHUB_TOKEN', value: 'abc' },
    ];
    expect(redact(headers)).toEqual([
      { name: 'X-Api-Key', value: REDACTED },
      { name: 'Accept', value: 'text/html' },
      { key: 'GITHUB_TOKEN', value: REDACTED },
    ]);
  });
});

describe('credential shapes', () => {
  // Put together here, so that no scanner takes this file for a leak.
  const random = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8';
  it.each([
    ['a virtual key', `vk-${random}`],
    ['an OpenAI key', `sk-${random}`],
    ['a project key', `sk-proj-${random}`],
    ['an Anthropic key', `sk-ant-api03-${random}`],
    ['a Stripe key', `sk_live_${random}`],
    ['a GitHub token', `ghp_${random}`],
    ['a fine-grained GitHub token', `github_pat_${random}`],
    ['a Slack token', `xoxb-${random}`],
    ['an AWS key id', `AKIA${'ABCDEFGHIJKLMNOP'}`],
    ['a Google key', `AIza${random.slice(0, 35)}`],
    ['a JSON Web Token', `eyJhbGciOiJI.eyJzdWIiOiIx.${random}`],
    ['a bearer header', `Bearer ${random}`],
    ['basic authentication', 'Basic dXNlcjpwYXNzd29yZA=='],
    ['a query parameter', `https://example.com/?access_token=${random}&page=2`],
    ['a URL with a password', `postgres://admin:${random}@db.example.com/x`],
    ['a URL with a token', `https://${random}@git.example.com/x`],
    ['an assignment', `export DB_PASSWORD="${random}"`],
    ['a key in JSON text', `{"client_secret": "${random}"}`],
    ['a private key', `-----BEGIN RSA PRIVATE KEY-----\n${random}\n-----END RSA PRIVATE KEY-----`],
    ['half a private key', `-----BEGIN PRIVATE KEY-----\n${random}\n`],
  ])('%s', (_name, text) => {
    const redacted = redact({ text: `before ${text} after` });
    expect(JSON.stringify(redacted)).toContain(REDACTED);
    expect(JSON.stringify(redacted)).toContain('before ');
    for (const piece of [random.slice(0, 16), 'ABCDEFGHIJKLMNOP', 'dXNlcjpw']) {
      expect(JSON.stringify(redacted)).not.toContain(piece);
    }
  });

  it.each([
    'The secret of good code is deleting it.',
    'task-management-for-small-teams',
    'https://example.com/a@b',
    'see https://example.com/docs: mail me@example.com',
    'max_tokens: 100',
  ])('leaves %s as it is', (text) => {
    expect(redact(text)).toBe(text);
  });
});

it('cuts long strings at white space, so that no half credential is left', () => {
  const secret = `sk-${'x'.repeat(200)}`;
  const redacted = redact(`${'word '.repeat(3_270)}${secret}${secret}`);
  expect(redacted).toMatch(/^(word )*word\[… \d+ characters left out\]$/);
  expect(redact('A'.repeat(1_000_000))).toBe('[… 1000000 characters left out]');
});

it('does not change what it was given', () => {
  const value = { password: 'x', list: ['Bearer abcdefghij'] };
  redact(value);
  expect(value).toEqual({ password: 'x', list: ['Bearer abcdefghij'] });
});

it('goes through hostile strings in no time', () => {
  const started = performance.now();
  for (const piece of [
    'a',
    'a-',
    'password',
    'eyJaaaaaaaa.',
    'Bearer ',
    'http://',
    '-----BEGIN PRIVATE KEY-----',
    'sk-',
  ]) {
    redact(piece.repeat(100_000));
    redact(`${piece.repeat(Math.floor(16_000 / piece.length))} `);
  }
  expect(performance.now() - started).toBeLessThan(1_000);
});
