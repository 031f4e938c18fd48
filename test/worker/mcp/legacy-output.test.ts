import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/server/validators/cf-worker';
import type { CallToolResult, Tool } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { withLegacyContent, withLegacyOutputSchema } from '../../../src/mcp/legacy-output.ts';

const toolWith = (outputSchema?: unknown): Tool =>
  ({
    name: 'a tool/of "mine"',
    inputSchema: { type: 'object' },
    ...(outputSchema !== undefined && { outputSchema }),
  }) as Tool;
const TREE = {
  anyOf: [{ type: 'string' }, { type: 'array', items: { $ref: '#' } }, { $ref: '#/$defs/leaf' }],
  $defs: { leaf: { type: 'number' } },
};

const result = (content: CallToolResult['content'], value: unknown) =>
  withLegacyContent({ content, structuredContent: value } as CallToolResult, { type: 'array' });

const whole = (structuredContent: Record<string, unknown>) => ({ content: [], structuredContent });

describe('a tool whose output is no object', () => {
  it.each([
    ['an object schema', { type: 'object', properties: {} }],
    ['none', undefined],
  ])('with %s stays as it is', (_case, schema) => {
    const tool = toolWith(schema);
    expect(withLegacyOutputSchema(tool)).toBe(tool);
  });

  it('is listed with the object that its result is wrapped in, references and all', () => {
    const { outputSchema } = withLegacyOutputSchema(toolWith(TREE));
    expect(outputSchema).toMatchObject({ type: 'object', required: ['result'] });
    const validate = new CfWorkerJsonSchemaValidator().getValidator(outputSchema as never);
    const wrapped = (value: unknown) =>
      withLegacyContent({ content: [], structuredContent: value } as unknown as CallToolResult, TREE).structuredContent;
    for (const value of ['x', ['x', ['y', 3]], 3]) expect(validate(wrapped(value)).valid).toBe(true);
    expect(validate(wrapped(true)).valid).toBe(false);
    expect(validate(wrapped([[true]])).valid).toBe(false);
  });

  it('is told in text too, unless the tool did so', () => {
    expect(result([], [1, 2])).toEqual({
      content: [{ type: 'text', text: '[1,2]' }],
      structuredContent: { result: [1, 2] },
    });
    const said = [{ type: 'text', text: 'one and two' }] as const;
    expect(result([...said], [1, 2]).content).toEqual(said);
    expect(result([], null).structuredContent).toEqual({ result: null });
  });

  it('is not wrapped twice, nor where it is an object anyway', () => {
    expect(withLegacyContent(whole({ result: [1] }), { type: 'array' })).toEqual(whole({ result: [1] }));
    expect(withLegacyContent(whole({ a: 1 }), { type: 'object' })).toEqual(whole({ a: 1 }));
    expect(withLegacyContent(whole({ a: 1 }), undefined)).toEqual(whole({ a: 1 }));
    expect(withLegacyContent(whole({ a: 1 }), { anyOf: [] })).toEqual(whole({ result: { a: 1 } }));
    expect(withLegacyContent({ content: [] }, { type: 'array' })).toEqual({ content: [] });
  });
});
