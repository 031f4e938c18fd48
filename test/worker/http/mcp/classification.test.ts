import { classifyInboundRequest } from '@modelcontextprotocol/server';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyPost } from '../../../../src/http/mcp/classification.ts';

const MODERN = '2026-07-28';
const VERSION = 'io.modelcontextprotocol/protocolVersion';
const INFO = 'io.modelcontextprotocol/clientInfo';
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';
const TASK = 'io.modelcontextprotocol/related-task';

const odd = fc.constantFrom(null, 1, 1.5, '', 'text', true, [], {}, { a: 1 });
const mostly = <T>(usual: fc.Arbitrary<T>) => fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });
const version = fc.constantFrom(
  MODERN,
  MODERN,
  MODERN,
  '2025-11-25',
  '2024-11-05',
  '2099-01-01',
  'x',
  '',
  ` ${MODERN} `,
);
const name = fc.constantFrom('tools/call', 'tools/list', 'initialize', 'server/discover', '');

const meta = fc.record(
  {
    [VERSION]: mostly(version),
    [INFO]: mostly(
      fc.constantFrom({ name: 'a', version: '1' }, { name: 'a' }, { name: 'b', version: '2', title: 't' }),
    ),
    [CAPABILITIES]: mostly(
      fc.constantFrom({}, { elicitation: {} }, { elicitation: 1 }, { roots: { listChanged: true } }),
    ),
    [LOG_LEVEL]: mostly(fc.constantFrom('info', 'loud')),
    [TASK]: mostly(fc.constant({ taskId: 'one' })),
    progressToken: mostly(fc.constantFrom('a', 1, 1.5)),
    traceparent: odd,
  },
  { requiredKeys: [] },
);
const valid = fc.record(
  {
    [VERSION]: fc.constant(MODERN),
    [CAPABILITIES]: fc.constantFrom({}, { elicitation: {} }),
    [INFO]: fc.constant({ name: 'a', version: '1' }),
    progressToken: odd,
  },
  { requiredKeys: [VERSION, CAPABILITIES] },
);
const params = fc.record({ _meta: fc.oneof(valid, mostly(meta)), name: odd }, { requiredKeys: [] });
const message = fc.record(
  {
    jsonrpc: mostly(fc.constant('2.0')),
    id: mostly(fc.oneof(fc.integer(), fc.string(), fc.constantFrom(1e300, 0.5, -0))),
    method: mostly(name),
    params: mostly(params),
    result: odd,
    error: odd,
    more: odd,
  },
  { requiredKeys: ['jsonrpc'] },
);
const request = fc.record(
  { jsonrpc: fc.constant('2.0'), id: fc.integer(), method: name, params },
  { requiredKeys: ['jsonrpc', 'id', 'method'] },
);
const body = fc.oneof(request, request, message, fc.array(message, { maxLength: 2 }), odd);
const headers = fc.record({ 'mcp-protocol-version': version, 'mcp-method': name }, { requiredKeys: [] });

describe('the era of a POST', () => {
  it('is what the SDK finds, seen for the first time or again', () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(headers, body, (sent, value) => {
        // Fields are held without the white space around them.
        const held = new Headers(Object.entries(sent));
        const expected = classifyInboundRequest({
          httpMethod: 'POST',
          ...(sent['mcp-protocol-version'] !== undefined && { protocolVersionHeader: sent['mcp-protocol-version'] }),
          ...(sent['mcp-method'] !== undefined && { mcpMethodHeader: sent['mcp-method'] }),
          body: value,
        });
        kinds.add(expected.kind);
        expect(classifyPost(held, value)).toEqual(expected);
        expect(classifyPost(held, structuredClone(value))).toEqual(expected);
      }),
      { numRuns: 5_000 },
    );
    expect([...kinds].toSorted()).toEqual(['legacy', 'modern', 'reject']);
  });

  it('is the SDK’s to find for what is nested deeper than the stack is', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    const value = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/list',
      params: { _meta: { [VERSION]: MODERN, [CAPABILITIES]: {}, [`${TASK}s`]: deep } },
    };
    const outcome = classifyPost(new Headers({ 'mcp-protocol-version': MODERN }), value);
    expect(outcome.kind).toBe('modern');
  });
});
