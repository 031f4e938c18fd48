// The same six verbs for every kind of configured object.
import { Hono, type Context } from 'hono';
import { invalid, nameField } from '../../../config/draft.ts';
import type { ObjectKind } from '../../../config/objects.ts';
import type { PutReport } from '../../../config/ports.ts';
import { decodeBase64, encodeBase64Url } from '../../../lib/base64url.ts';
import { err, ok, type Result } from '../../../lib/result.ts';
import { failure, type Failure } from '../../../policy/failure.ts';
import type { AppEnv } from '../../app-env.ts';
import { definitionOf, methodNotAllowed, objectAnswer, problem, warningAnswers } from './answers.ts';
import { readAdminBody } from './body.ts';
import { beginProbing, recordChanges, retireServers } from './changes.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;

export function objectRoutes(kind: ObjectKind): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get('/', async (c) => {
    const page = readPage(c);
    if (!page.ok) return problem(c, page.error);
    const { items, next } = await c.var.services.configStore.list(kind, page.value);
    return c.json({ items: items.map(objectAnswer), next_cursor: next === undefined ? null : toCursor(next) });
  });

  routes.post('/', async (c) => {
    const body = await readAdminBody(c.req.raw);
    if (!body.ok) return problem(c, body.error);
    const name = body.value[nameField(kind)];
    if (typeof name !== 'string' || name === '')
      return problem(c, invalid([{ path: [nameField(kind)], message: 'is required and must be text' }]));
    return put(c, kind, name, body.value, true);
  });
  routes.all('/', methodNotAllowed('GET', 'POST'));

  routes.get('/:name', async (c) => {
    const object = await c.var.services.configStore.get(kind, c.req.param('name'));
    return object === undefined ? problem(c, notFound(c)) : c.json(objectAnswer(object));
  });

  routes.put('/:name', async (c) => {
    const body = await readAdminBody(c.req.raw);
    return body.ok ? put(c, kind, c.req.param('name'), body.value, false) : problem(c, body.error);
  });

  routes.delete('/:name', async (c) => {
    const name = c.req.param('name');
    const refusal = await c.var.services.configStore.remove(kind, name, recordChanges(c));
    if (refusal !== undefined) return problem(c, refusal);
    if (kind === 'server') retireServers(c, [name]);
    return c.body(null, 204);
  });
  routes.all('/:name', methodNotAllowed('GET', 'PUT', 'DELETE'));
  return routes;
}

async function put(
  c: Context<AppEnv>,
  kind: ObjectKind,
  name: string,
  body: Readonly<Record<string, unknown>>,
  mustBeNew: boolean,
): Promise<Response> {
  const report = await c.var.services.configStore.put(kind, name, definitionOf(body), { mustBeNew }, recordChanges(c));
  if (!report.ok) return problem(c, report.error);
  if (kind === 'server') beginProbing(c, (server) => server === name);
  if (!report.value.created) return c.json(putAnswer(report.value));
  const collection = mustBeNew ? c.req.path : c.req.path.slice(0, c.req.path.lastIndexOf('/'));
  return c.json(putAnswer(report.value), 201, { location: `${collection}/${encodeURIComponent(name)}` });
}

function putAnswer({ object, generatedKey, warnings }: PutReport): Record<string, unknown> {
  return {
    ...objectAnswer(object),
    ...(generatedKey === undefined ? {} : { key: generatedKey.key }),
    warnings: warningAnswers(warnings),
  };
}

function notFound(c: Context<AppEnv>): Failure {
  return failure('not_found', `There is nothing at ${c.req.path}.`);
}

function readPage(c: Context<AppEnv>): Result<{ readonly limit: number; readonly after?: string }, Failure> {
  const limit = Number(c.req.query('limit') ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    return err(failure('invalid_request', `limit must be a whole number from 1 to ${MAX_LIMIT}.`, { param: 'limit' }));
  const cursor = c.req.query('cursor');
  if (cursor === undefined) return ok({ limit });
  const after = fromCursor(cursor);
  if (after === undefined)
    return err(failure('invalid_request', 'cursor must be the next_cursor of a previous page.', { param: 'cursor' }));
  return ok({ limit, after });
}

/** Opaque, so that its meaning may change. */
function toCursor(name: string): string {
  return encodeBase64Url(new TextEncoder().encode(name));
}

function fromCursor(cursor: string): string | undefined {
  const bytes = decodeBase64(cursor);
  return bytes === undefined || bytes.byteLength === 0 ? undefined : new TextDecoder().decode(bytes);
}
