// The LLM surface: every endpoint under the gateway's own path and under the vendor's, so that an SDK needs only
// another base URL.
import { Hono } from 'hono';
import { failure } from '../../../policy/failure.ts';
import { OPERATIONS, type Operation } from '../../../llm/operation.ts';
import type { AppEnv } from '../../app-env.ts';
import { errorResponse, type Dialect } from '../../error-response.ts';
import { authenticate } from '../../middleware/authenticate.ts';
import { serveCall } from './call.ts';
import { serveModel, serveModels } from './models.ts';
import { geminiRoutes } from './gemini.ts';
import { executeTool } from './tool-execute.ts';
import { serveUsage } from './usage.ts';

const BASES = [
  { base: '/v1', operations: [...speaking('openai'), ...speaking('anthropic')] },
  { base: '/openai/v1', operations: speaking('openai'), dialect: 'openai' },
  { base: '/anthropic/v1', operations: speaking('anthropic'), dialect: 'anthropic' },
] as const;

const EXECUTE_PATH = '/v1/mcp/tool/execute';
const USAGE_PATH = '/v1/usage';

export function llmRoutes(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  for (const { base, operations, ...vendor } of BASES) {
    for (const operation of operations) {
      const path = `${base}${operation.path}`;
      app.post(path, authenticate(operation.dialect), serveCall(operation));
      refuseOtherMethods(app, path, 'POST', () => operation.dialect);
    }
    const dialect = 'dialect' in vendor ? vendor.dialect : undefined;
    serveModelList(app, `${base}/models`, dialect);
  }
  geminiRoutes(app);
  app.post(EXECUTE_PATH, authenticate('openai'), executeTool);
  refuseOtherMethods(app, EXECUTE_PATH, 'POST', () => 'openai');
  app.get(USAGE_PATH, authenticate('openai'), serveUsage);
  refuseOtherMethods(app, USAGE_PATH, 'GET', () => 'openai');
  return app;
}

function serveModelList(app: Hono<AppEnv>, path: string, only: Operation['dialect'] | undefined): void {
  // Both vendors list their models under the same path; a caller of Anthropic's always says which version it speaks.
  const dialectFor = (headers: Headers): Operation['dialect'] =>
    only ?? (headers.has('anthropic-version') ? 'anthropic' : 'openai');
  for (const route of [path, `${path}/:model{.+}`]) {
    app.get(route, (c, next) => authenticate(dialectFor(c.req.raw.headers))(c, next));
    refuseOtherMethods(app, route, 'GET', dialectFor);
  }
  app.get(path, (c) => serveModels(c, dialectFor(c.req.raw.headers), only));
  app.get(`${path}/:model{.+}`, (c) => serveModel(c, c.req.param('model'), dialectFor(c.req.raw.headers), only));
}

function refuseOtherMethods(
  app: Hono<AppEnv>,
  path: string,
  method: 'GET' | 'POST',
  dialectFor: (headers: Headers) => Dialect,
): void {
  app.on(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'], path, (c, next) => {
    if (c.req.method === method) return next();
    const text = `${c.req.method} is not a method of ${c.req.path}; use ${method}.`;
    const response = errorResponse(failure('method_not_allowed', text), dialectFor(c.req.raw.headers), c.var.requestId);
    response.headers.set('allow', method);
    return response;
  });
}

function speaking(dialect: Operation['dialect']): readonly Operation[] {
  return Object.values<Operation>(OPERATIONS).filter((operation) => operation.dialect === dialect);
}
