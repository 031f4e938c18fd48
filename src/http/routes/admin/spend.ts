// Reads what was spent, summed by what the operator asks for. Like the audit log it is about a second behind.
import { Hono } from 'hono';
import { encodeCursor } from '../../../audit/query-parameters.ts';
import { parseSpendQuery } from '../../../audit/spend-query.ts';
import { toTimeText } from '../../../lib/time.ts';
import type { AppEnv } from '../../app-env.ts';
import { shownSums } from '../../spend-sums.ts';
import { methodNotAllowed, problem } from './answers.ts';

export function spendRoutes(): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get('/', async (c) => {
    const { services } = c.var;
    const query = parseSpendQuery(new URL(c.req.url).searchParams, services.now());
    if (!query.ok) return problem(c, query.error);
    const { from, to, limit, offset } = query.value;
    const { items, hasMore } = await services.spendReader.read(query.value);
    return c.json({
      from: toTimeText(from),
      to: toTimeText(to),
      items: items.map(({ start, groups, sums }) =>
        Object.assign(start === undefined ? {} : { start: toTimeText(start) }, groups, shownSums(sums)),
      ),
      next_cursor: hasMore ? encodeCursor(offset + limit) : null,
    });
  });
  routes.all('/', methodNotAllowed('GET'));
  return routes;
}
