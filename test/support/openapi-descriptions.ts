// Descriptions of the bookshop's API in each version of the specification. `base` is without a trailing slash.

/** OpenAPI 3.0, as people write it: YAML, references, and a few mistakes. */
export function bookshopYaml(base: string): string {
  return `openapi: 3.0.3
info: { title: Bookshop, version: 1.4.0, description: Sells books. }
servers: [{ url: "${base}/{version}", variables: { version: { default: v1 } } }]
security: [{ key: [] }]
paths:
  /books:
    get:
      operationId: listBooks
      summary: All books
      description: All books, the newest first.
      parameters:
        - { name: limit, in: query, description: How many, schema: { type: integer, minimum: 1, maximum: 100 } }
        - { name: tags, in: query, schema: { type: array, items: { type: string } } }
        - { name: ids, in: query, style: pipeDelimited, explode: false, schema: { type: array, items: { type: integer } } }
        - { name: filter, in: query, style: deepObject, schema: { type: object, additionalProperties: { type: string } } }
        - { name: api_key, in: query, schema: { type: string } }
        - { name: X-Trace, in: header, schema: { type: string } }
        - { name: Authorization, in: header, schema: { type: string } }
        - { name: session, in: cookie, schema: { type: string } }
      responses:
        "200": { description: ok, content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Book" } } } } }
    post:
      operationId: addBook
      requestBody: { $ref: "#/components/requestBodies/Book" }
      responses:
        "201": { $ref: "#/components/responses/Book" }
  /books/{isbn}:
    parameters: [{ $ref: "#/components/parameters/isbn" }]
    get:
      operationId: getBook
      summary: One book
      responses:
        "200": { $ref: "#/components/responses/Book" }
        "404": { description: no such book }
    put:
      operationId: replaceBook
      requestBody: { $ref: "#/components/requestBodies/Book" }
      responses: { "204": { description: replaced } }
    delete:
      operationId: removeBook
      deprecated: true
      summary: Removes a book
      responses: { "204": { description: removed } }
    head:
      operationId: checkBook
      responses: { "200": { description: there } }
  /books/{isbn}/cover:
    parameters: [{ $ref: "#/components/parameters/isbn" }]
    get: { operationId: getCover, responses: { "200": { description: ok, content: { image/png: {} } } } }
    put:
      operationId: setCover
      requestBody: { required: true, content: { application/octet-stream: { schema: { type: string, format: binary } } } }
      responses: { "200": { description: ok, content: { application/json: { schema: { type: object } } } } }
  /books/{isbn}/reading: { get: { operationId: getReading, responses: { "200": { description: ok, content: { audio/mpeg: {} } } } } }
  /books/{isbn}/file: { get: { operationId: getFile, responses: { "200": { description: ok, content: { application/pdf: {} } } } } }
  /books/{isbn}/summary: { get: { operationId: getSummary, responses: { "200": { description: ok, content: { text/plain: {} } } } } }
  /orders:
    post:
      operationId: order
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema: { type: object, required: [isbn], properties: { isbn: { type: string }, tags: { type: array, items: { type: string } }, to: { type: object } } }
      responses: { "200": { description: ok, content: { application/json: { schema: { type: object } } } } }
  /uploads:
    post:
      operationId: upload
      requestBody:
        content:
          multipart/form-data:
            schema: { type: object, properties: { title: { type: string }, meta: { type: object }, file: { type: string, format: binary } } }
      responses: { "200": { description: ok, content: { application/json: { schema: { type: object } } } } }
  /whoami: { get: { operationId: whoami, responses: { "200": { description: ok, content: { application/json: { schema: { type: object } } } } } } }
  /slow: { get: { operationId: slow, responses: { "200": { description: ok } } } }
  /large: { get: { operationId: large, responses: { "200": { description: ok } } } }
  /broken: { get: { operationId: broken, responses: { "200": { description: ok } } } }
  /down: { get: { operationId: down, responses: { "200": { description: ok } } } }
  /moved: { get: { operationId: moved, responses: { "200": { description: ok } } } }
  /liar: { get: { operationId: liar, responses: { "200": { $ref: "#/components/responses/Book" } } } }
  /foreign: { get: { operationId: foreign, responses: { "200": { description: ok } }, servers: [{ url: "https://elsewhere.example" }] } }
  /remote: { post: { operationId: remote, requestBody: { content: { application/json: { schema: { $ref: "https://elsewhere.example/schema.json" } } } }, responses: { "200": { description: ok } } } }
components:
  securitySchemes: { key: { type: apiKey, in: query, name: api_key } }
  parameters: { isbn: { name: isbn, in: path, required: true, description: Of the book, schema: { type: string } } }
  requestBodies: { Book: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Book" } } } } }
  responses: { Book: { description: a book, content: { application/json: { schema: { $ref: "#/components/schemas/Book" } } } } }
  schemas:
    Book:
      type: object
      required: [isbn, title, id]
      additionalProperties: false
      properties:
        id: { type: integer, readOnly: true }
        isbn: { type: string }
        title: { type: string, nullable: true }
        price: { type: number, minimum: 0, exclusiveMinimum: true }
        sequel: { $ref: "#/components/schemas/Book" }
`;
}

/** OpenAPI 3.1, as generators write it. */
export function bookshopJson(base: string): object {
  return {
    openapi: '3.1.0',
    info: { title: 'Bookshop', version: '1.5.0' },
    servers: [{ url: `${base}/v1` }],
    paths: {
      '/books/{isbn}': {
        get: {
          operationId: 'getBook',
          parameters: [{ name: 'isbn', in: 'path', required: true, schema: { type: 'string' } }],
          responses: {
            200: {
              description: 'ok',
              content: { 'application/json': { schema: { $ref: '#/components/schemas/Book' } } },
            },
          },
        },
      },
    },
    components: {
      schemas: {
        Book: {
          type: 'object',
          required: ['isbn', 'title'],
          properties: {
            isbn: { type: 'string' },
            title: { type: ['string', 'null'] },
            sequel: { anyOf: [{ $ref: '#/components/schemas/Book' }, { type: 'null' }] },
          },
        },
      },
    },
  };
}

/** Swagger 2.0, as it was. */
export function bookshopSwagger(base: string): object {
  const { host } = new URL(base);
  return {
    swagger: '2.0',
    info: { title: 'Bookshop', version: '1.0.0' },
    host,
    basePath: '/v1',
    schemes: ['http'],
    consumes: ['application/json'],
    produces: ['application/json'],
    paths: {
      '/books': {
        get: {
          operationId: 'listBooks',
          parameters: [
            { name: 'tags', in: 'query', type: 'array', items: { type: 'string' }, collectionFormat: 'csv' },
            { name: 'limit', in: 'query', type: 'integer', maximum: 10, exclusiveMaximum: true },
          ],
          responses: { 200: { description: 'ok', schema: { type: 'array', items: { $ref: '#/definitions/Book' } } } },
        },
        post: {
          operationId: 'addBook',
          parameters: [{ name: 'book', in: 'body', required: true, schema: { $ref: '#/definitions/Book' } }],
          responses: { 201: { description: 'ok', schema: { $ref: '#/definitions/Book' } } },
        },
      },
      '/orders': {
        post: {
          operationId: 'order',
          consumes: ['application/x-www-form-urlencoded'],
          parameters: [{ name: 'isbn', in: 'formData', type: 'string', required: true }],
          responses: { 200: { description: 'ok', schema: { type: 'object' } } },
        },
      },
    },
    definitions: { Book: { type: 'object', required: ['isbn'], properties: { isbn: { type: 'string' } } } },
  };
}
