import { describe, expect, it } from 'vitest';
import type { Tool } from '@modelcontextprotocol/client';
import { errorResult, toolResult, type ApiAnswer } from '../../../../src/mcp/openapi/response.ts';

const TOOL: Tool = { name: 'getBook', inputSchema: { type: 'object' } };
const PROMISING: Tool = {
  ...TOOL,
  outputSchema: {
    type: 'object',
    required: ['isbn'],
    properties: { isbn: { type: 'string' }, sequel: { $ref: '#/$defs/Book' } },
    $defs: { Book: { type: 'object', required: ['isbn'] } },
  },
};

function answer(body: string | Uint8Array, contentType?: string, more: Partial<ApiAnswer> = {}): ApiAnswer {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const headers = new Headers(contentType === undefined ? {} : { 'content-type': contentType });
  return { status: 200, statusText: 'OK', headers, body: new Uint8Array(bytes), ...more };
}

const textOf = (result: ReturnType<typeof toolResult>): string =>
  result.content.map((block) => (block.type === 'text' ? block.text : '')).join('\n');

describe('an answer', () => {
  it.each([
    ['{"a": 1}', 'application/json', { content: [{ type: 'text', text: '{"a": 1}' }], structuredContent: { a: 1 } }],
    [
      '{"a":1}',
      'application/vnd.x+json; charset=utf-8',
      { content: [{ type: 'text', text: '{"a":1}' }], structuredContent: { a: 1 } },
    ],
    ['[1]', 'application/json', { content: [{ type: 'text', text: '[1]' }] }],
    ['{"a":', 'application/json', { content: [{ type: 'text', text: '{"a":' }] }],
    ['{"a":1}', undefined, { content: [{ type: 'text', text: '{"a":1}' }], structuredContent: { a: 1 } }],
    ['{"a":1}', 'text/plain', { content: [{ type: 'text', text: '{"a":1}' }] }],
    ['<a/>', 'application/atom+xml', { content: [{ type: 'text', text: '<a/>' }] }],
    ['png', 'image/png', { content: [{ type: 'image', data: btoa('png'), mimeType: 'image/png' }] }],
    ['mp3', 'audio/mpeg; x=y', { content: [{ type: 'audio', data: btoa('mp3'), mimeType: 'audio/mpeg' }] }],
    [
      'pdf',
      'application/pdf',
      {
        content: [
          {
            type: 'resource',
            resource: { uri: 'openapi://shop/getBook', mimeType: 'application/pdf', blob: btoa('pdf') },
          },
        ],
      },
    ],
  ])('%s as %s', (body, contentType, result) => {
    expect(toolResult('shop', TOOL, answer(body, contentType))).toEqual(result);
  });

  it('in another character set, or in none', () => {
    expect(
      textOf(toolResult('shop', TOOL, answer(new Uint8Array([0x47, 0xfc]), 'text/plain; charset=ISO-8859-1'))),
    ).toBe('Gü');
    expect(textOf(toolResult('shop', TOOL, answer('x', 'text/plain; charset=klingon')))).toBe('x');
    const unknown = toolResult('shop', TOOL, answer(new Uint8Array([0xff, 0xfe, 0x00])));
    expect(unknown.content[0]).toMatchObject({ type: 'resource', resource: { mimeType: 'application/octet-stream' } });
  });

  it('of many bytes', () => {
    const bytes = new Uint8Array(200_000).fill(7);
    const { content } = toolResult('shop', TOOL, answer(bytes, 'image/png'));
    expect(atob((content[0] as { data: string }).data)).toHaveLength(200_000);
  });

  it('without a body says what it does say', () => {
    const headers = new Headers({ location: '/books/9', 'set-cookie': 'a=b' });
    const created = answer('', undefined, { status: 201, statusText: 'Created', headers });
    expect(toolResult('shop', TOOL, created)).toEqual({
      content: [{ type: 'text', text: 'HTTP 201 Created\nlocation: /books/9' }],
    });
  });

  it('as it was promised', () => {
    const result = toolResult(
      'shop',
      PROMISING,
      answer('{"isbn":"1","sequel":{"isbn":"2"},"more":1}', 'application/json'),
    );
    expect(result.structuredContent).toEqual({ isbn: '1', sequel: { isbn: '2' }, more: 1 });
    expect(result.isError).toBeUndefined();
  });

  it.each([
    ['{"isbn":4}', 'application/json'],
    ['{"isbn":"1","sequel":{}}', 'application/json'],
    ['[]', 'application/json'],
    ['', 'application/json'],
    ['hello', 'text/plain'],
  ])('other than promised is an error that holds it: %s', (body, contentType) => {
    const result = toolResult('shop', PROMISING, answer(body, contentType));
    expect(result.isError).toBe(true);
    expect(result).not.toHaveProperty('structuredContent');
    expect(textOf(result)).toContain('the call succeeded, but the answer is not what');
    expect(textOf(result)).toContain(body);
  });

  it('is not measured by a schema that never ends', () => {
    const endless: Tool = {
      ...TOOL,
      outputSchema: { type: 'object', $ref: '#/$defs/A', $defs: { A: { allOf: [{ $ref: '#/$defs/A' }] } } },
    };
    expect(textOf(toolResult('shop', endless, answer('{}', 'application/json')))).toContain('it cannot be checked');
  });
});

function mask(text: string): string {
  return text.replaceAll('s3cret', '***');
}

describe('a refusal', () => {
  it('says what the API says, without credentials', () => {
    const refused = answer('{"detail":"no s3cret"}', 'application/problem+json', {
      status: 404,
      statusText: 'Not Found',
    });
    expect(errorResult(refused, mask)).toEqual({
      content: [{ type: 'text', text: 'HTTP 404 Not Found\n{"detail":"no ***"}' }],
      isError: true,
    });
  });

  it('tells when to come back, and who can help', () => {
    const headers = new Headers({ 'retry-after': '30' });
    expect(textOf(errorResult(answer('', undefined, { status: 429, statusText: '', headers }), mask))).toBe(
      'HTTP 429\nretry-after: 30',
    );
    expect(textOf(errorResult(answer('', undefined, { status: 401, statusText: '' }), mask))).toContain('Whoever runs');
  });

  it('repeats no web page and no book', () => {
    expect(textOf(errorResult(answer('<p>Oops', 'text/html', { status: 500 }), mask))).toBe('HTTP 500 OK');
    const long = textOf(errorResult(answer('x'.repeat(100_000), 'text/plain', { status: 500 }), mask));
    expect(long.length).toBeLessThan(8_100);
  });
});
