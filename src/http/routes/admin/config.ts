// A whole configuration at once: what the command line does with the file.
import { Hono } from 'hono';
import { parseGatewayDocument } from '../../../config/check.ts';
import { invalid } from '../../../config/draft.ts';
import type { AppEnv } from '../../app-env.ts';
import { methodNotAllowed, problem, warningAnswers } from './answers.ts';
import { readAdminBody } from './body.ts';
import { beginProbing, recordChanges, retireServers } from './changes.ts';

export function configRoutes(): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.put('/', async (c) => {
    const body = await readAdminBody(c.req.raw);
    if (!body.ok) return problem(c, body.error);
    const checked = parseGatewayDocument(body.value);
    if (!checked.ok) return problem(c, invalid(checked.error));
    const applied = await c.var.services.configStore.apply(checked.value.document, recordChanges(c));
    if (!applied.ok) return problem(c, applied.error);
    // Also without a change: it is how a gateway that has just started learns its servers' condition.
    beginProbing(c, () => true);
    const { revision, changes, generatedKeys, warnings } = applied.value;
    const removed = changes.filter(({ kind, change }) => kind === 'server' && change === 'deleted');
    retireServers(
      c,
      removed.map(({ name }) => name),
    );
    return c.json({
      revision,
      changes,
      generated_keys: generatedKeys.map(({ keyName, key }) => ({ key_name: keyName, key })),
      warnings: warningAnswers([...checked.value.warnings, ...warnings]),
    });
  });
  routes.all('/', methodNotAllowed('PUT'));
  return routes;
}
