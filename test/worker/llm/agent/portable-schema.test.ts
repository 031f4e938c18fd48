import { Validator } from '@cfworker/json-schema';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { portableSchema } from '../../../../src/llm/agent/portable-schema.ts';
import { SCHEMA_NODES } from '../../../../src/llm/agent/limits.ts';
import type { JsonObject } from '../../../../src/lib/json-value.ts';

const text = { type: 'string' };
const number = { type: 'number' };

describe('a portable schema', () => {
  it.each<[what: string, schema: JsonObject, portable: JsonObject]>([
    ['an empty one becomes an object without properties', {}, { type: 'object', properties: {} }],
    [
      'what is portable stays',
      { type: 'object', properties: { a: text }, required: ['a'], additionalProperties: false },
      { type: 'object', properties: { a: text }, required: ['a'], additionalProperties: false },
    ],
    [
      'references are put in place, with what stands beside them',
      {
        $defs: { name: { ...text, minLength: 1 }, 'a/b~c': number },
        properties: { a: { $ref: '#/$defs/name', description: 'whose' }, b: { items: { $ref: '#/$defs/a~1b~0c' } } },
      },
      { type: 'object', properties: { a: { ...text, minLength: 1, description: 'whose' }, b: { items: number } } },
    ],
    [
      'a reference into the network is anything',
      { properties: { a: { $ref: 'https://schemas.example/a.json' }, b: { $ref: '#/nowhere' } } },
      { type: 'object', properties: { a: {}, b: {} } },
    ],
    [
      'what refers to itself is told once',
      { $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } }, $ref: '#/$defs/node' },
      { type: 'object', properties: { next: {} } },
    ],
    [
      'allOf is joined',
      {
        allOf: [
          { properties: { a: text }, required: ['a'] },
          { properties: { b: number }, required: ['b'] },
        ],
      },
      { type: 'object', properties: { a: text, b: number }, required: ['a', 'b'] },
    ],
    [
      'one name in two alternatives may be either',
      {
        anyOf: [
          { properties: { a: text }, required: ['a'] },
          { properties: { a: number }, required: ['a'] },
        ],
      },
      { type: 'object', properties: { a: { anyOf: [text, number] } }, required: ['a'] },
    ],
    [
      'conditions leave their properties',
      { properties: { a: text }, if: { required: ['a'] }, else: { properties: { b: number }, required: ['b'] } },
      { type: 'object', properties: { a: text, b: number } },
    ],
    [
      'below the top nothing is flattened',
      { properties: { a: { oneOf: [text, number] } } },
      { type: 'object', properties: { a: { oneOf: [text, number] } } },
    ],
    [
      'a property may be called like a keyword',
      { properties: { $ref: text, definitions: number, properties: true } },
      { type: 'object', properties: { $ref: text, definitions: number, properties: {} } },
    ],
  ])('%s', (_what, schema, portable) => {
    expect(portableSchema(schema).schema).toEqual(portable);
  });

  it('says in words what alternatives there are', () => {
    const alternatives = [
      { properties: { id: text }, required: ['id'] },
      { properties: { owner: text, name: text }, required: ['owner', 'name'] },
    ];
    expect(portableSchema({ oneOf: alternatives }).note).toBe('Give exactly one of: id, or owner and name.');
    expect(portableSchema({ anyOf: alternatives }).note).toBe('Give at least one of: id, or owner and name.');
    expect(portableSchema({ anyOf: [{ properties: { a: text } }] }).note).toBeUndefined();
  });

  it('stays small, whatever refers to whatever', () => {
    const $defs: Record<string, JsonObject> = { d0: text };
    for (let level = 1; level <= 20; level++) {
      const below = { $ref: `#/$defs/d${level - 1}` };
      $defs[`d${level}`] = { type: 'object', properties: { a: below, b: below } };
    }
    const { schema } = portableSchema({ $defs, $ref: '#/$defs/d20' });
    expect(JSON.stringify(schema).length).toBeLessThan(SCHEMA_NODES * 60);
  });

  it('cuts descriptions that would fill the context', () => {
    const description = 'x'.repeat(10_000_000);
    const { schema } = portableSchema({ description, properties: { a: { description }, description: text } });
    expect(JSON.stringify(schema).length).toBeLessThan(20_000);
    expect(schema['properties']).toMatchObject({ description: text });
  });

  it('has no reference and no alternatives at the top, and asks for nothing that the original does not ask for', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const leaf = fc.constantFrom<JsonObject>({}, { type: ['string', 'number', 'array'] }, { $ref: '#/$defs/x' });
    const object = fc.record(
      { properties: fc.dictionary(name, leaf), required: fc.uniqueArray(name, { maxLength: 2 }) },
      { requiredKeys: ['properties'] },
    );
    const several = fc.array(object, { minLength: 1, maxLength: 3 });
    const schemas = fc.record(
      {
        properties: fc.dictionary(name, leaf),
        required: fc.uniqueArray(name, { maxLength: 1 }),
        anyOf: several,
        oneOf: several,
        allOf: several,
        else: object,
      },
      { requiredKeys: [] },
    );
    const value = fc.dictionary(name, fc.oneof(fc.constantFrom('one', 'two'), fc.integer(), fc.constant([])));
    fc.assert(
      fc.property(schemas, value, (schema, given) => {
        const original = { ...schema, $defs: { x: { minLength: 1 } } };
        const { schema: portable } = portableSchema(original);
        expect(JSON.stringify(portable)).not.toContain('$ref');
        for (const keyword of ['anyOf', 'oneOf', 'allOf', 'else', '$defs'])
          expect(portable).not.toHaveProperty([keyword]);
        if (new Validator(original, '2020-12').validate(given).valid)
          expect(new Validator(portable, '2020-12').validate(given).valid).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
