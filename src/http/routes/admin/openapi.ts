// The admin API described by itself: OpenAPI 3.1, whose schemas are those that check the requests.
import { z } from 'zod';
import { AUDIT_QUERY_PARAMETERS } from '../../../audit/query.ts';
import { SPEND_QUERY_PARAMETERS } from '../../../audit/spend-query.ts';
import { gatewayDocument } from '../../../config/document.ts';
import { OBJECT_SCHEMAS, type ObjectKind } from '../../../config/objects.ts';
import { approvalBody } from './definitions.ts';

type Json = Readonly<Record<string, unknown>>;

const PROBLEM = {
  description: 'A problem (RFC 9457); `problems` lists each fault of a definition.',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status', 'detail', 'code'],
        properties: {
          type: { const: 'about:blank' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
          code: { type: 'string' },
          problems: {
            type: 'array',
            items: {
              type: 'object',
              required: ['path', 'message'],
              properties: { path: { type: 'string' }, message: { type: 'string' }, fix: { type: 'string' } },
            },
          },
        },
      },
    },
  },
};

/** What an answer holds beside the definition. */
const ANSWERED = {
  type: 'object',
  required: ['id', 'source', 'created_at', 'updated_at'],
  properties: {
    id: { type: 'string' },
    source: { enum: ['file', 'api'] },
    created_at: { type: 'string', format: 'date-time' },
    updated_at: { type: 'string', format: 'date-time' },
    key_prefix: { type: 'string', description: 'Of virtual keys: the first characters, to recognise one by.' },
    key: { type: 'string', description: 'Of virtual keys: a key just generated. It is shown this once.' },
    warnings: { type: 'array', items: { type: 'object' } },
  },
};

const NAME = { name: 'name', in: 'path', required: true, schema: { type: 'string' } };

const DEFINITIONS = {
  type: 'object',
  required: ['server', 'trust', 'scan', 'pinned', 'pending', 'blocked', 'findings'],
  properties: {
    server: { type: 'string' },
    trust: { enum: ['open', 'pinned'] },
    scan: { enum: ['report', 'block', 'off'] },
    pinned: { type: 'array', items: { type: 'object', required: ['name', 'hash', 'approval'] } },
    pending: { type: 'array', items: { type: 'object', required: ['name', 'hash', 'change', 'diff'] } },
    blocked: { type: 'array', items: { type: 'object', required: ['name', 'hash'] } },
    findings: { type: 'array', items: { type: 'object', required: ['rule', 'severity', 'tool', 'where', 'excerpt'] } },
  },
};

/** Members for the groups asked for stand beside these. */
const SPEND_ITEM = {
  type: 'object',
  required: ['calls', 'cost_usd', 'cost_nano_usd'],
  properties: {
    start: { type: 'string', format: 'date-time', description: 'Of the bucket.' },
    calls: { type: 'integer' },
    cost_usd: { type: 'number' },
    cost_nano_usd: { type: 'integer' },
  },
};

/** @param collections path segment → kind of object */
export function openApiDocument(collections: Readonly<Record<string, ObjectKind>>): Json {
  const paths: Record<string, Json> = {
    '/api/config': {
      put: {
        summary: 'Apply a whole configuration: objects of source `file` become exactly these.',
        requestBody: jsonBody(ref('config')),
        responses: answers({
          '200': jsonAnswer('What changed, and the keys that were generated.', { type: 'object' }),
        }),
      },
    },
    '/api/servers/{name}/health': {
      get: {
        summary: 'The condition of a server.',
        parameters: [NAME],
        responses: answers({ '200': jsonAnswer('State, breaker, last error, number of tools.', { type: 'object' }) }),
      },
    },
    '/api/servers/{name}/definitions': {
      get: {
        summary:
          'The definitions of a server’s tools: pinned, waiting for approval with what changed, and found fault with.',
        parameters: [NAME],
        responses: answers({ '200': jsonAnswer('Hashes, differences and findings.', DEFINITIONS) }),
      },
    },
    '/api/servers/{name}/approve': {
      post: {
        summary: 'Approve definitions: all that wait without a body, else those named, by the hash that was shown.',
        parameters: [NAME],
        requestBody: { ...jsonBody(inputSchema(approvalBody)), required: false },
        responses: answers({
          '200': jsonAnswer('What was approved.', { type: 'object', required: ['server', 'approved'] }),
          '409': { ...PROBLEM, description: 'A definition changed meanwhile, or is not listed: nothing was approved.' },
        }),
      },
    },
    '/api/alerts/test': {
      post: {
        summary: 'Post a signed message of type `alert.test` to the webhook for alerts.',
        responses: answers({
          '200': jsonAnswer('It was delivered.', { type: 'object', required: ['id', 'delivered'] }),
          '409': { ...PROBLEM, description: 'No webhook is configured.' },
          '502': { ...PROBLEM, description: 'It could not be delivered.' },
        }),
      },
    },
    '/api/shutdown': {
      post: {
        summary:
          'Announce that the gateway is about to end, so that streams that only tell of changes end first. Once the body ' +
          'of this request has ended, everything that was leased is given back and everything recorded is committed.',
        responses: answers({ '202': { description: 'The answer, which is empty, ends when that is done.' } }),
      },
    },
    '/api/audit-events': {
      get: {
        summary: 'What happened, newest first.',
        parameters: AUDIT_QUERY_PARAMETERS.map(queryParameter),
        responses: answers({ '200': jsonAnswer('A page of audit events.', pageOf({ type: 'object' })) }),
      },
    },
    '/api/spend': {
      get: {
        summary: 'What was spent, summed by `group_by` (several, by commas) and `bucket`: the highest cost first.',
        parameters: SPEND_QUERY_PARAMETERS.map(queryParameter),
        responses: answers({ '200': jsonAnswer('Sums of calls, tokens and cost.', pageOf(SPEND_ITEM)) }),
      },
    },
  };
  const schemas: Record<string, unknown> = { config: inputSchema(gatewayDocument) };
  for (const [path, kind] of Object.entries(collections)) {
    schemas[kind] = inputSchema(OBJECT_SCHEMAS[kind]);
    paths[`/api/${path}`] = collectionPath(kind);
    paths[`/api/${path}/{name}`] = objectPath(kind);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Sallyport admin API', version: '1' },
    security: [{ adminToken: [] }],
    paths,
    components: { schemas, securitySchemes: { adminToken: { type: 'http', scheme: 'bearer' } } },
  };
}

function collectionPath(kind: ObjectKind): Json {
  const page = jsonAnswer('A page, in the order of names; secrets are masked.', pageOf(answered(kind)));
  return {
    get: { parameters: ['limit', 'cursor'].map(queryParameter), responses: answers({ '200': page }) },
    post: {
      requestBody: jsonBody(ref(kind)),
      responses: answers({ '201': jsonAnswer('Created.', answered(kind)) }),
    },
  };
}

function objectPath(kind: ObjectKind): Json {
  const shown = jsonAnswer('The object; secrets are masked.', answered(kind));
  return {
    parameters: [NAME],
    get: { responses: answers({ '200': shown }) },
    put: {
      summary: 'Create or replace. A masked secret keeps what is stored for it.',
      requestBody: jsonBody(ref(kind)),
      responses: answers({ '200': shown, '201': jsonAnswer('Created.', answered(kind)) }),
    },
    delete: { responses: answers({ '204': { description: 'Deleted.' } }) },
  };
}

/** As a request may hold it: before defaults are filled in. What JSON cannot hold (a YAML date) is left open. */
function inputSchema(schema: z.ZodType): Json {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function answered(kind: ObjectKind): Json {
  // The schema of a definition refuses other members, so that an answer is described beside it, not through it.
  return { ...ANSWERED, description: `A ${kind.replaceAll('_', ' ')} as defined, with:` };
}

function pageOf(items: Json): Json {
  return {
    type: 'object',
    required: ['items', 'next_cursor'],
    properties: { items: { type: 'array', items }, next_cursor: { type: ['string', 'null'] } },
  };
}

function queryParameter(name: string): Json {
  return { name, in: 'query', schema: { type: name === 'limit' ? 'integer' : 'string' } };
}

function jsonBody(schema: Json): Json {
  return { required: true, content: { 'application/json': { schema } } };
}

function jsonAnswer(description: string, schema: Json): Json {
  return { description, content: { 'application/json': { schema } } };
}

function answers(successes: Json): Json {
  return { ...successes, default: PROBLEM };
}
