import { describe, expect, it } from 'vitest';
import { isForeignHost, isForeignOrigin } from '../../../src/http/foreign-host.ts';

describe('a Host that is ours', () => {
  const OWN = ['localhost', 'LOCALHOST:8080', 'app.localhost', '127.0.0.1', '127.0.0.1:3', '[::1]:8080', '10.0.0.7:80'];

  it.each([...OWN, '[fd00::1]', 'host.docker.internal:8080'])('may be %s without any setting', (host) => {
    expect(isForeignHost(new Headers({ host }), '')).toBe(false);
  });

  it.each([
    'evil.example.com',
    'evil.example.com:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil',
    '',
  ])('is not %j', (host) => {
    expect(isForeignHost(new Headers({ host }), '')).toBe(true);
    expect(isForeignHost(new Headers({ host }), 'mcp.example.com')).toBe(true);
  });

  it('is not one that is missing or none', () => {
    expect(isForeignHost(new Headers(), '')).toBe(true);
    expect(isForeignHost(new Headers({ host: 'a b' }), '')).toBe(true);
    expect(isForeignHost(new Headers({ host: 'user@evil.example' }), '')).toBe(true);
  });

  it.each(['mcp.example.com', 'MCP.example.com.:443', 'other.example', 'localhost'])('may be named: %s', (host) => {
    expect(isForeignHost(new Headers({ host }), 'mcp.example.com, Other.example')).toBe(false);
  });

  it('may be any where the operator says so, or says nothing and listens to everybody', () => {
    expect(isForeignHost(new Headers({ host: 'evil.example' }), '*')).toBe(false);
    expect(isForeignHost(new Headers({ host: 'evil.example' }), undefined)).toBe(false);
  });
});

describe('an Origin that is ours', () => {
  it.each([
    ['http://evil.example', 'evil.example', true],
    ['https://evil.example', 'gateway.test', true],
    ['null', 'gateway.test', true],
    ['chrome-extension://abc', 'gateway.test', true],
    ['http://localhost:6274', '127.0.0.1:8080', false],
    ['http://[::1]:1', 'localhost', false],
    ['https://gateway.test', 'gateway.test', false],
    ['', 'gateway.test', false],
  ])('%j at the host %s: foreign is %j', (origin, host, foreign) => {
    expect(isForeignOrigin(new Headers({ origin, host }))).toBe(foreign);
  });
});
