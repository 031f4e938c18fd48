import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHeaderValue, encodeHeaderValue } from '../../../../src/mcp/protocol/header-value.ts';
import { mirroredParams, paramHeaderFault, paramHeadersOf } from '../../../../src/mcp/protocol/param-headers.ts';
import { standardHeaderFault } from '../../../../src/mcp/protocol/standard-headers.ts';

const VERSION = '2026-07-28';

describe('a value in a header', () => {
  it('comes back as it was, whatever it is, and is fit for a header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const encoded = encodeHeaderValue(text);
        expect(new Headers({ 'x-value': encoded }).get('x-value')).toBe(encoded);
        expect(decodeHeaderValue(encoded)).toBe(text);
      }),
    );
  });

  it.each([
    ['plain', 'plain'],
    ['two words', 'two words'],
    ['', '=?base64??='],
    [' edge', '=?base64?IGVkZ2U=?='],
    ['grün', '=?base64?Z3LDvG4=?='],
    ['line\nbreak', '=?base64?bGluZQpicmVhaw==?='],
    ['=?base64?YQ==?=', '=?base64?PT9iYXNlNjQ/WVE9PT89?='],
  ])('%j is written %j', (text, written) => {
    expect(encodeHeaderValue(text)).toBe(written);
  });

  it.each(['=?base64?SGVsbG8?=', '=?base64?SGVs!!!bG8=?=', '=?base64?/w==?='])('refuses %s', (value) => {
    expect(decodeHeaderValue(value)).toBeUndefined();
  });

  it.each(['SGVsbG8=', '=?base64?SGVsbG8=', 'SGVsbG8=?=', '=?base64?='])('takes %s as it is', (value) => {
    expect(decodeHeaderValue(`\t ${value}  `)).toBe(value);
  });
});

describe('the headers of every request', () => {
  const call = { method: 'tools/call', params: { name: 'a tool' } };
  const right = { 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/call', 'mcp-name': 'a tool' };
  const fault = (headers: Record<string, string>, message: Parameters<typeof standardHeaderFault>[0] = call) =>
    standardHeaderFault(message, VERSION, new Headers(headers));

  it('may agree with the body', () => {
    expect(fault(right)).toBeUndefined();
    expect(fault({ ...right, 'mcp-name': '  a tool ' })).toBeUndefined();
    expect(fault({ ...right, 'mcp-name': '=?base64?YSB0b29s?=' })).toBeUndefined();
    expect(fault({ ...right, 'mcp-method': 'tools/list' }, { method: 'tools/list' })).toBeUndefined();
    // The method refuses a call without a name.
    expect(fault(right, { method: 'tools/call', params: {} })).toBeUndefined();
  });

  it.each([
    ['MCP-Protocol-Version', /Protocol-Version is missing/, { ...right, 'mcp-protocol-version': undefined }],
    ['Mcp-Method', /Mcp-Method is missing/, { ...right, 'mcp-method': undefined }],
    ['Mcp-Name', /Mcp-Name is missing/, { ...right, 'mcp-name': undefined }],
  ])('are faulty without %s', (_name, told, headers) => {
    const sent = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
    expect(fault(Object.fromEntries(sent))).toMatch(told);
  });

  it.each([
    ['version', { 'mcp-protocol-version': '2025-11-25' }],
    ['method in another case', { 'mcp-method': 'TOOLS/CALL' }],
    ['method', { 'mcp-method': 'tools/list' }],
    ['name', { 'mcp-name': 'another' }],
    ['name that is not base64', { 'mcp-name': '=?base64?a?=' }],
  ])('are faulty with another %s', (_what, header) => {
    expect(fault({ ...right, ...header })).toBeTypeOf('string');
  });

  it.each([
    ['prompts/get', 'name'],
    ['resources/read', 'uri'],
    ['tasks/get', 'taskId'],
  ])('of %s name %s', (method, member) => {
    const headers = { 'mcp-protocol-version': VERSION, 'mcp-method': method };
    const message = { method, params: { [member]: 'x' } };
    expect(fault({ ...headers, 'mcp-name': 'x' }, message)).toBeUndefined();
    expect(fault({ ...headers, 'mcp-name': 'y' }, message)).toMatch(new RegExp(`params\\.${member}`));
    expect(fault(headers, message)).toMatch(/missing/);
  });
});

describe('arguments mirrored in headers', () => {
  const schema = {
    type: 'object',
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      limit: { type: 'integer', 'x-mcp-header': 'Limit' },
      deep: { type: 'object', properties: { dry: { type: 'boolean', 'x-mcp-header': 'Dry' } } },
      other: { type: 'string', default: { 'x-mcp-header': 'not an annotation' } },
    },
  };
  const headers = paramHeadersOf(schema);
  const fault = (args: unknown, sent: Record<string, string> = {}) =>
    paramHeaderFault(headers, args, new Headers(sent));

  it('are those that the schema annotates', () => {
    expect(headers.map(({ name }) => name)).toEqual(['Mcp-Param-Region', 'Mcp-Param-Limit', 'Mcp-Param-Dry']);
    expect(paramHeadersOf(schema)).toBe(headers);
  });

  it('agree with what is mirrored of them', () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            region: fc.string({ unit: 'grapheme' }),
            limit: fc.integer(),
            deep: fc.record({ dry: fc.boolean() }, { requiredKeys: [] }),
          },
          { requiredKeys: [] },
        ),
        (args) => {
          expect(fault(args, mirroredParams(headers, args))).toBeUndefined();
        },
      ),
    );
  });

  it('are compared as numbers where they are numbers', () => {
    expect(fault({ limit: 42 }, { 'mcp-param-limit': '42.0' })).toBeUndefined();
    expect(fault({ limit: 42 }, { 'mcp-param-limit': '43' })).toMatch(/differs/);
    expect(fault({ limit: 42 }, { 'mcp-param-limit': '0x2a' })).toMatch(/differs/);
  });

  it('must be mirrored, and rightly', () => {
    expect(fault({ region: 'eu' })).toMatch(/Mcp-Param-Region is not/);
    expect(fault({ region: 'eu' }, { 'mcp-param-region': 'us' })).toMatch(/differs/);
    expect(fault({ region: 'eu' }, { 'mcp-param-region': '=?base64?!?=' })).toMatch(/base64/);
    expect(fault({ deep: { dry: true } }, { 'mcp-param-dry': 'false' })).toMatch(/deep\.dry/);
  });

  it('need not be where there is no value', () => {
    expect(fault({ region: null }, { 'mcp-param-region': 'eu' })).toBeUndefined();
    expect(fault(undefined)).toBeUndefined();
    expect(fault({ region: { is: 'no text' } })).toBeUndefined();
  });

  it.each([
    ['of no name', { properties: { a: { type: 'string', 'x-mcp-header': '' } } }],
    ['of a name that is no token', { properties: { a: { type: 'string', 'x-mcp-header': 'a b' } } }],
    ['of an object', { properties: { a: { type: 'object', 'x-mcp-header': 'A' } } }],
    ['of the whole', { properties: {}, 'x-mcp-header': 'A' }],
    ['in a branch', { properties: {}, anyOf: [{ properties: { a: { type: 'string', 'x-mcp-header': 'A' } } }] }],
    ['in items', { properties: { a: { items: { type: 'string', 'x-mcp-header': 'A' } } } }],
    [
      'given twice',
      { properties: { a: { type: 'string', 'x-mcp-header': 'A' }, b: { type: 'string', 'x-mcp-header': 'a' } } },
    ],
  ])('are none where an annotation is invalid: %s', (_what, invalid: { readonly properties?: object }) => {
    const { properties = {} } = invalid;
    const valid = { type: 'string', 'x-mcp-header': 'Valid' };
    expect(paramHeadersOf({ ...invalid, properties: { valid, ...properties } })).toEqual([]);
  });

  it('survive a schema without end', () => {
    let deep: object = {};
    for (let depth = 0; depth < 100_000; depth++) deep = depth % 2 === 0 ? { properties: { deep } } : { items: deep };
    expect(paramHeadersOf(deep)).toEqual([]);
  });
});
