// Reads the audit log. It holds what the ledgers have moved on to the database: events are there about a second after
// they were committed.
import { Hono } from 'hono';
import { parseAuditQuery, toCursor } from '../../../audit/query.ts';
import type { AppEnv } from '../../app-env.ts';
import { methodNotAllowed, problem } from './answers.ts';

export function auditEventRoutes(): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get('/', async (c) => {
    const query = parseAuditQuery(new URL(c.req.url).searchParams);
    if (!query.ok) return problem(c, query.error);
    const { items, next } = await c.var.services.auditReader.read(query.value);
    return c.json({ items, next_cursor: next === undefined ? null : toCursor(next) });
  });
  routes.all('/', methodNotAllowed('GET'));
  return routes;
}
