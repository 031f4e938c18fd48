// The admin API, as it is mounted under /api.
import { Hono } from 'hono';
import type { ObjectKind } from '../../../config/objects.ts';
import { ConfigurationUnavailable } from '../../../config/stored.ts';
import { describeFault, log } from '../../../lib/log.ts';
import { failure } from '../../../policy/failure.ts';
import type { AppEnv } from '../../app-env.ts';
import { adminAuth } from '../../middleware/admin-auth.ts';
import { configurationUnavailable } from '../../middleware/authenticate.ts';
import { alertRoutes } from './alerts.ts';
import { methodNotAllowed, problem } from './answers.ts';
import { auditEventRoutes } from './audit-events.ts';
import { configRoutes } from './config.ts';
import { definitionRoutes } from './definitions.ts';
import { serverHealthRoutes } from './health.ts';
import { objectRoutes } from './objects.ts';
import { openApiDocument } from './openapi.ts';
import { spendRoutes } from './spend.ts';
import { shutdownRoutes } from './shutdown.ts';

const COLLECTIONS = {
  servers: 'server',
  'tool-groups': 'tool_group',
  providers: 'provider',
  customers: 'customer',
  teams: 'team',
  'virtual-keys': 'virtual_key',
} as const satisfies Record<string, ObjectKind>;

export function adminRoutes(): Hono<AppEnv> {
  const admin = new Hono<AppEnv>();
  admin.use(adminAuth());

  admin.route('/config', configRoutes());
  for (const [path, kind] of Object.entries(COLLECTIONS)) admin.route(`/${path}`, objectRoutes(kind));
  admin.route('/servers/:name/health', serverHealthRoutes());
  admin.route('/servers/:name', definitionRoutes());
  admin.route('/audit-events', auditEventRoutes());
  admin.route('/spend', spendRoutes());
  admin.route('/alerts', alertRoutes());
  admin.route('/shutdown', shutdownRoutes());
  admin.get('/openapi.json', (c) => c.json(openApiDocument(COLLECTIONS)));
  admin.all('/openapi.json', methodNotAllowed('GET'));

  admin.all('*', (c) =>
    problem(c, failure('not_found', `There is no ${c.req.path} here. /api/openapi.json lists what there is.`)),
  );
  admin.onError((fault, c) => {
    if (fault instanceof ConfigurationUnavailable) return configurationUnavailable(c, fault, 'problem', 'operator');
    log('error', 'request.failed', { request_id: c.var.requestId, path: c.req.path, fault: describeFault(fault) });
    const text = `The gateway failed; its log names the fault under ${c.var.requestId}.`;
    return problem(c, failure('internal_error', text));
  });
  return admin;
}
