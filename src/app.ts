// Middleware order and mounts: this file is the diagram of a request's way.
import { Hono } from 'hono';
import type { AppEnv } from './http/app-env.ts';
import { dialectOf } from './http/dialect.ts';
import { errorResponse } from './http/error-response.ts';
import { authenticate, configurationUnavailable } from './http/middleware/authenticate.ts';
import { requestContext } from './http/middleware/request-context.ts';
import { adminRoutes } from './http/routes/admin/index.ts';
import { llmRoutes } from './http/routes/llm/index.ts';
import { mcpRoutes } from './http/routes/mcp.ts';
import { describeFault, log } from './lib/log.ts';
import { failure } from './policy/failure.ts';
import { createServices } from './services.ts';

export function createApp(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  // Before everything else: it must answer while configuration or storage do not.
  app.get('/healthz', (c) => c.text('ok\n'));

  app.use(requestContext(createServices));
  app.get('/readyz', async (c) => {
    try {
      await c.var.services.snapshot();
    } catch (fault) {
      return configurationUnavailable(c, fault, 'problem');
    }
    return c.text('ready\n');
  });
  app.route('/api', adminRoutes());
  app.use('/mcp/*', authenticate('jsonrpc'));
  app.route('/mcp', mcpRoutes());
  app.route('/', llmRoutes());

  app.notFound((c) =>
    errorResponse(
      failure('not_found', `There is no ${c.req.method} ${c.req.path} here.`),
      dialectOf(c.req.path),
      c.var.requestId,
    ),
  );
  app.onError((fault, c) => {
    log('error', 'request.failed', { request_id: c.var.requestId, path: c.req.path, fault: describeFault(fault) });
    return errorResponse(
      failure('internal_error', `The gateway failed; its log names the fault under ${c.var.requestId}.`),
      dialectOf(c.req.path),
      c.var.requestId,
    );
  });
  return app;
}
