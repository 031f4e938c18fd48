import { describe, expect, it } from 'vitest';
import { bookshopJson, bookshopSwagger, bookshopYaml } from '../../../support/openapi-descriptions.ts';
import { planOf, withoutPlan } from '../../../../src/mcp/openapi/plan.ts';
import { API, catalogOf, describe31, problemOf, toolOf } from './descriptions.ts';

const OK = { responses: { 200: { description: 'ok' } } };
const BOOKSHOP = 'http://127.0.0.1:9';

function namesOf(paths: Readonly<Record<string, unknown>>): string[] {
  return catalogOf(describe31(paths)).tools.map(({ name }) => name);
}

describe('the bookshop', () => {
  const { tools, note, base, instructions, version } = catalogOf(bookshopYaml(BOOKSHOP), { baseUrl: undefined });
  const byName = new Map(tools.map((tool) => [tool.name, tool]));

  it('has a tool for each operation that can be called', () => {
    expect([...byName.keys()].toSorted()).toEqual(
      'addBook broken checkBook down getBook getCover getFile getReading getSummary large liar listBooks moved order removeBook replaceBook setCover slow upload whoami'.split(
        ' ',
      ),
    );
    expect(note).toBe(
      'left out: GET /foreign: it is served at another address than the rest; POST /remote: it has a reference to another file or address, and only those within the document are followed',
    );
    expect({ base, instructions, version }).toEqual({
      base: `${BOOKSHOP}/v1`,
      instructions: 'Sells books.',
      version: '1.4.0',
    });
  });

  it('describes an operation as a tool', () => {
    const tool = byName.get('listBooks');
    expect(tool).toMatchObject({
      title: 'All books',
      description: 'All books, the newest first.',
      annotations: { readOnlyHint: true, openWorldHint: true },
    });
    // Credentials are not offered: neither the API key nor the header for them.
    expect(tool?.inputSchema).toEqual({
      type: 'object',
      properties: {
        limit: { type: 'integer', minimum: 1, maximum: 100, description: 'How many' },
        tags: { type: 'array', items: { type: 'string' } },
        ids: { type: 'array', items: { type: 'integer' } },
        filter: { type: 'object', additionalProperties: { type: 'string' } },
        'X-Trace': { type: 'string' },
        session: { type: 'string' },
      },
      required: [],
      additionalProperties: false,
    });
    expect(tool?.outputSchema).toBeUndefined();
    expect(byName.get('removeBook')).toMatchObject({
      description: 'Deprecated. Removes a book',
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
    });
    expect(byName.get('replaceBook')?.annotations).toMatchObject({ idempotentHint: true });
    expect(byName.get('addBook')?.annotations).toEqual({ readOnlyHint: false, openWorldHint: true });
  });

  it('keeps a recursive schema once, without what only the API sets', () => {
    const { inputSchema, outputSchema } = byName.get('replaceBook') ?? {};
    expect(inputSchema).toEqual({
      type: 'object',
      properties: { isbn: { type: 'string', description: 'Of the book' }, body: { $ref: '#/$defs/Book' } },
      required: ['isbn', 'body'],
      additionalProperties: false,
      $defs: {
        Book: {
          type: 'object',
          required: ['isbn', 'title'],
          additionalProperties: false,
          properties: {
            isbn: { type: 'string' },
            title: { type: ['string', 'null'] },
            price: { type: 'number', exclusiveMinimum: 0 },
            sequel: { $ref: '#/$defs/Book' },
          },
        },
      },
    });
    expect(outputSchema).toBeUndefined();
  });

  it('promises an object where the API answers with one', () => {
    const schema = byName.get('getBook')?.outputSchema;
    expect(schema).toMatchObject({ type: 'object', required: ['isbn', 'title', 'id'] });
    expect(Object.keys(schema?.['properties'] as object)).toEqual(['id', 'isbn', 'title', 'price', 'sequel']);
    // An API may say more than it promised.
    expect(JSON.stringify(schema)).not.toContain('additionalProperties');
    expect(byName.get('checkBook')?.outputSchema).toBeUndefined();
  });

  it('takes files in base64, and forms by their fields', () => {
    expect(byName.get('setCover')?.inputSchema.properties).toMatchObject({
      body: { type: 'string', contentEncoding: 'base64', contentMediaType: 'application/octet-stream' },
    });
    expect(byName.get('upload')?.inputSchema.properties?.['body']).toEqual({
      type: 'object',
      properties: {
        title: { type: 'string' },
        meta: { type: 'object' },
        file: { type: 'string', contentEncoding: 'base64' },
      },
    });
  });

  it('does not tell clients how a tool is called', () => {
    for (const tool of tools) {
      expect(planOf(tool)?.base).toBe(base);
      expect(withoutPlan(tool)).not.toHaveProperty('_meta');
    }
    const [tool] = tools;
    if (tool !== undefined) {
      const more = { ...tool, _meta: { ...tool._meta, mine: 1 } };
      expect(withoutPlan(more)._meta).toEqual({ mine: 1 });
    }
  });
});

describe('every version of the specification', () => {
  it('3.1', () => {
    const { tools } = catalogOf(JSON.stringify(bookshopJson(BOOKSHOP)), { baseUrl: undefined });
    expect(tools.map(({ name }) => name)).toEqual(['getBook']);
    expect(tools[0]?.outputSchema?.['$defs']).toHaveProperty('Book.properties.title', { type: ['string', 'null'] });
  });

  it('Swagger 2.0', () => {
    const { tools, base } = catalogOf(JSON.stringify(bookshopSwagger(BOOKSHOP)), { baseUrl: undefined });
    expect(base).toBe(`${BOOKSHOP}/v1`);
    expect(tools.map(({ name }) => name)).toEqual(['listBooks', 'addBook', 'order']);
    const [list, add, order] = tools;
    expect(list?.inputSchema.properties).toMatchObject({ limit: { type: 'integer', exclusiveMaximum: 10 } });
    expect(add?.inputSchema).toMatchObject({ required: ['body'], properties: { body: { $ref: '#/$defs/Book' } } });
    expect(order?.inputSchema.properties?.['body']).toMatchObject({ properties: { isbn: { type: 'string' } } });
  });

  it('with the version as a number, as YAML has it without quotes', () => {
    expect(catalogOf('openapi: 3.0\npaths: { /a: { get: { operationId: a } } }').tools).toHaveLength(1);
    expect(catalogOf('swagger: 2.0\npaths: { /a: { get: { operationId: a } } }').tools).toHaveLength(1);
  });
});

describe('names', () => {
  it('are the operation ids, else methods and paths', () => {
    expect(
      namesOf({
        '/pets/{id}': { get: { operationId: 'pets.get one' }, patch: {} },
        '/': { get: {} },
        '/long': { get: { operationId: 'x'.repeat(80) } },
      }),
    ).toEqual(['pets_get_one', 'patch_pets_id', 'get', 'get_long']);
  });

  it('are nobody’s where two would have one, whatever their order', () => {
    const paths = { '/a': { get: { operationId: 'same' } }, '/b': { get: { operationId: 'same' } } };
    expect(namesOf(paths)).toEqual(['get_a', 'get_b']);
    expect(namesOf(Object.fromEntries(Object.entries(paths).toReversed()))).toEqual(['get_b', 'get_a']);
  });

  it('are told apart by a mark in the end', () => {
    const names = namesOf({ '/a-{x}': { get: {} }, '/a-{x}/': { get: {} }, [`/${'y'.repeat(90)}`]: { get: {} } });
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(names).toEqual(
      namesOf({ '/a-{x}': { get: {} }, '/a-{x}/': { get: {} }, [`/${'y'.repeat(90)}`]: { get: {} } }),
    );
  });
});

function parameters(...list: object[]): Readonly<Record<string, unknown>> {
  return { ...OK, parameters: list };
}

describe('arguments', () => {
  it('say where they belong when two have one name', () => {
    const tool = toolOf(
      {
        ...parameters(
          { name: 'id', in: 'path', required: true },
          { name: 'id', in: 'query' },
          { name: 'id_query', in: 'query' },
          { name: 'body', in: 'query' },
        ),
        requestBody: { content: { 'application/json': {} } },
      },
      {},
      '/things/{id}',
      'post',
    );
    expect(Object.keys(tool.inputSchema.properties ?? {})).toEqual([
      'id_path',
      'id_query_2',
      'id_query',
      'body_query',
      'body',
    ]);
  });

  it('have names that every model provider accepts', () => {
    const tool = toolOf(parameters({ name: 'filter[status]', in: 'query' }, { name: 'größe', in: 'query' }));
    expect(Object.keys(tool.inputSchema.properties ?? {})).toEqual(['filter_status_', 'gr__e']);
  });

  it('are those of the operation where the path has another of the same name', () => {
    const { tools } = catalogOf(
      describe31({
        '/a': {
          parameters: [
            { name: 'q', in: 'query', description: 'of the path' },
            { name: 'r', in: 'query' },
          ],
          get: parameters({ name: 'q', in: 'query', description: 'of the operation', required: true }),
        },
      }),
    );
    expect(tools[0]?.inputSchema).toMatchObject({
      properties: { q: { description: 'of the operation' }, r: {} },
      required: ['q'],
    });
  });

  it('are made for placeholders that the description forgot', () => {
    expect(toolOf(OK, {}, '/a/{b}').inputSchema).toMatchObject({
      properties: { b: { type: 'string' } },
      required: ['b'],
    });
  });

  it('leave out what the configuration sets, and what is HTTP’s own', () => {
    const operation = parameters(
      { name: 'X-Api-Key', in: 'header' },
      { name: 'Content-Length', in: 'header' },
      { name: 'token', in: 'query' },
      { name: 'sid', in: 'cookie' },
      { name: 'x-other', in: 'header' },
      { name: 'bad name', in: 'header' },
    );
    const { tools } = catalogOf(describe31({ '/a': { get: operation } }), {
      baseUrl: `${API}?token=secret`,
      headers: ['x-api-key', 'Cookie'],
    });
    expect(Object.keys(tools[0]?.inputSchema.properties ?? {})).toEqual(['x-other']);
  });
});

describe('what cannot be served', () => {
  it.each([
    ['', 'is empty'],
    ['<!doctype html><p>Sign in', 'is a web page or XML instead of an OpenAPI document in JSON or YAML'],
    ['{"openapi": ', 'is neither valid JSON nor valid YAML'],
    ['- a\n- b', 'is not an OpenAPI document: it is no mapping'],
    ['just words', 'is not an OpenAPI document: it is no mapping'],
    ['title: x', 'is not an OpenAPI document: it has neither "openapi" nor "swagger"'],
    ['openapi: 4.0.0', 'is of a version other than Swagger 2.0 and OpenAPI 3.0 to 3.2'],
    ['swagger: "1.2"', 'is of a version other than Swagger 2.0 and OpenAPI 3.0 to 3.2'],
    ['openapi: 3.1.0\nwebhooks: {}', 'describes no operations: it has no "paths"'],
    [
      'swagger: "2.0"\npaths: { /a: { get: null, post: 4 } }',
      'does not follow the OpenAPI specification so far that it could be read',
    ],
    [`{"x":"${'a'.repeat(4 * 1024 * 1024)}"}`, 'is larger than 4 MiB, the most allowed'],
    [
      `{"openapi":"3.0.0","paths":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
      'does not follow the OpenAPI specification so far that it could be read',
    ],
  ])('a description: %#', (text, problem) => {
    expect(problemOf(text)).toBe(problem);
  });

  it('a description that grows without end', () => {
    const laughs = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (let level = 1; level < 10; level++) {
      const [name, last] = [String.fromCharCode(97 + level), String.fromCharCode(96 + level)];
      laughs.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${last}`).join()}]`);
    }
    expect(problemOf(['openapi: 3.1.0', 'paths: {}', ...laughs].join('\n'))).toMatch(/neither/);
    expect(problemOf('openapi: 3.1.0\npaths: &p\n  /a: *p\n')).toMatch(/neither/);
  });

  it.each([
    [undefined, undefined, 'does not say where the API is (servers[0].url is not absolute): set base_url'],
    ['/v1', undefined, 'does not say where the API is (servers[0].url is not absolute): set base_url'],
    ['ftp://api.example', undefined, 'does not say where the API is (servers[0].url is not absolute): set base_url'],
    ['https://user:word@api.example', undefined, "puts a password into the API's address: set base_url"],
    [
      'http://10.0.0.1/',
      'https://specs.example/a.json',
      'names an API on another host than its own, http://10.0.0.1: set base_url if that is right',
    ],
  ])('an address: %s', (url, specUrl, problem) => {
    const servers = url === undefined ? [] : [{ url }];
    expect(problemOf(describe31({}, { servers }), { baseUrl: undefined, specUrl })).toBe(problem);
  });

  it.each([
    ['https://specs.example/v2', 'https://specs.example/v2'],
    ['/v2', 'https://specs.example/v2'],
    ['v2', 'https://specs.example/docs/v2'],
  ])('but an address of the description’s own host can: %s', (url, base) => {
    const specUrl = 'https://specs.example/docs/openapi.json';
    expect(catalogOf(describe31({}, { servers: [{ url }] }), { baseUrl: undefined, specUrl }).base).toBe(base);
  });

  it.each([
    ['/a/../b', 'it has a path that leads out of the API'],
    ['/a/%2E%2e/b', 'it has a path that leads out of the API'],
    ['//evil.example/b', 'it has a path that leads out of the API'],
    [String.raw`/a\b`, 'it has a path that leads out of the API'],
    ['/a#b', 'it has a path that leads out of the API'],
    ['a/b', 'it has a path that leads out of the API'],
    ['/a\nb', 'it has a path that leads out of the API'],
    ['/{a/b}', 'it has a placeholder that spans several steps of its path'],
  ])('a path: %j', (path, reason) => {
    const { tools, note } = catalogOf(describe31({ [path]: { get: OK }, '/good': { get: OK } }));
    expect(tools.map(({ name }) => name)).toEqual(['get_good']);
    expect(note).toContain(reason);
  });

  it.each([
    ['https://evil.example/s.json', 'another file or address'],
    ['./other.yaml#/Pet', 'another file or address'],
    ['#/components/schemas/Nothing', 'leads nowhere'],
    ['#anchor', 'names no place'],
    ['#/components/schemas/Circle', 'lead in a circle'],
  ])('a reference to %s', ($ref, reason) => {
    const { tools, note } = catalogOf(
      describe31(
        {
          '/a': { post: { requestBody: { content: { 'application/json': { schema: { $ref } } } } } },
          '/b': { get: OK },
        },
        { components: { schemas: { Circle: { $ref: '#/components/schemas/Circle' } } } },
      ),
    );
    expect(tools.map(({ name }) => name)).toEqual(['get_b']);
    expect(note).toContain(`POST /a: it has`);
    expect(note).toContain(reason);
  });

  it('more than the limits, and says so', () => {
    const many = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`/p${index}`, { get: OK }]));
    const { tools, note } = catalogOf(describe31(many), { maxTools: 5 });
    expect(tools).toHaveLength(5);
    expect(note).toBe(
      'left out: GET /p5, GET /p6, GET /p7, GET /p8, GET /p9 and 2 more: only 5 tools are offered (limits.tools_per_server)',
    );
  });
});
