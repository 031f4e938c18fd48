import { describe, expect, it } from 'vitest';
import { SchemaConverter } from '../../../../src/mcp/openapi/schema.ts';
import type { Json } from './descriptions.ts';

function convert(schema: unknown, schemas: Json = {}, audience: 'request' | 'response' = 'request'): unknown {
  const converter = new SchemaConverter({ components: { schemas } }, audience);
  const { properties, ...definitions } = converter.standalone((toSchema) => ({ properties: { s: toSchema(schema) } }));
  return { ...(properties as Json), ...definitions };
}

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

describe('a schema', () => {
  it('keeps what JSON Schema knows, and drops what only OpenAPI does', () => {
    const kept = {
      type: ['string', 'null'],
      enum: ['a', null],
      minLength: 1,
      pattern: '^a+$',
      format: 'date',
      description: 'D',
      oneOf: [{ const: 'a' }, true],
      not: { type: 'number' },
    };
    expect(
      convert({
        ...kept,
        nullable: true,
        xml: {},
        discriminator: {},
        externalDocs: {},
        'x-go-type': 'T',
        $id: 'https://a',
        $schema: 'b',
      }),
    ).toEqual({ s: kept });
  });

  it.each([
    ['type', 'file'],
    ['type', []],
    ['required', true],
    ['required', ['a', 'a']],
    ['enum', []],
    ['minimum', '1'],
    ['maxLength', -1],
    ['exclusiveMinimum', true],
    ['pattern', '(?i)abc'],
    ['pattern', '[a-\\d]'],
    ['properties', []],
    ['allOf', []],
    ['allOf', {}],
  ])('drops what no validator accepts: %s %j', (keyword, value) => {
    expect(convert({ [keyword]: value, title: 'T' })).toEqual({ s: { title: 'T' } });
  });

  it('makes a tuple of a list of items', () => {
    expect(convert({ type: 'array', items: [{ type: 'string' }] })).toEqual({
      s: { type: 'array', prefixItems: [{ type: 'string' }] },
    });
  });

  it('has every schema it refers to once, however they refer to each other', () => {
    const schemas = {
      A: { properties: { b: ref('B'), a: ref('A') } },
      B: { allOf: [ref('A'), { $ref: '#/components/schemas/A/properties/b' }] },
      Unused: { type: 'string' },
    };
    expect(convert(ref('A'), schemas)).toEqual({
      s: { $ref: '#/$defs/A' },
      $defs: {
        A: { properties: { b: { $ref: '#/$defs/B' }, a: { $ref: '#/$defs/A' } } },
        B: { allOf: [{ $ref: '#/$defs/A' }, { $ref: '#/$defs/b' }] },
        b: { $ref: '#/$defs/B' },
      },
    });
  });

  it('finds names with signs in them, and tells apart those that end alike', () => {
    const schemas = { 'a/b': { type: 'string' }, 'x~y z': { properties: { 'a/b': { type: 'number' } } } };
    expect(
      convert(
        {
          anyOf: [
            { $ref: '#/components/schemas/a~1b' },
            { $ref: '#/components/schemas/x~0y%20z' },
            { $ref: '#/components/schemas/x~0y%20z/properties/a~1b' },
          ],
        },
        schemas,
      ),
    ).toMatchObject({
      s: { anyOf: [{ $ref: '#/$defs/a_b' }, { $ref: '#/$defs/x_y_z' }, { $ref: '#/$defs/a_b_2' }] },
      $defs: { a_b: { type: 'string' }, a_b_2: { type: 'number' } },
    });
  });

  it('shows each side what is for it', () => {
    const schema = {
      type: 'object',
      required: ['id', 'secret', 'name'],
      properties: { id: { readOnly: true }, secret: { writeOnly: true }, name: { pattern: 'a' } },
      additionalProperties: false,
    };
    expect(convert(schema)).toEqual({
      s: {
        ...schema,
        required: ['secret', 'name'],
        properties: { secret: { writeOnly: true }, name: { pattern: 'a' } },
      },
    });
    // Expressions of a description are not run over what the API says.
    expect(convert(schema, {}, 'response')).toEqual({
      s: { type: 'object', required: ['id', 'name'], properties: { id: { readOnly: true }, name: {} } },
    });
  });

  it('loses its explanations before it is too large', () => {
    const words = { description: 'd'.repeat(1_000), examples: ['e'], title: 'T', type: 'string' };
    const many = (count: number): Json => ({
      properties: Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, words])),
    });
    expect(convert(many(10))).toEqual({ s: many(10) });
    expect(convert(many(100))).toMatchObject({ s: { properties: { p99: { type: 'string' } } } });
    expect(JSON.stringify(convert(many(100)))).not.toContain('ddd');
    expect(() => convert(many(10_000))).toThrow('has a schema of more than 64 KiB');
  });

  it('is given up when all that it refers to is too much', () => {
    const schemas = Object.fromEntries(
      Array.from({ length: 2_000 }, (_, index) => [
        `S${index}`,
        { properties: { next: ref(`S${index + 1}`), n: { type: 'string' } } },
      ]),
    );
    expect(() => convert(ref('S0'), { ...schemas, S2000: {} })).toThrow('has a schema of more than 64 KiB');
  });

  it('is not nested without end', () => {
    let schema: Json = {};
    for (let depth = 0; depth < 100; depth++) schema = { items: schema };
    expect(() => convert(schema)).toThrow('nested more than 64 deep');
  });
});
