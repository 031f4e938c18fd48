// Gemini's surface, for Google's SDKs with another base URL: the path names model and method.
import type { Hono } from 'hono';
import { GEMINI_OPERATIONS } from '../../../llm/operation.ts';
import { failure } from '../../../policy/failure.ts';
import type { AppEnv } from '../../app-env.ts';
import { errorResponse } from '../../error-response.ts';
import { authenticate } from '../../middleware/authenticate.ts';
import { serveCall } from './call.ts';
import { serveModel, serveModels } from './models.ts';

/** Google's newer SDKs take the first, its documentation the second, which has all that the first has. */
const BASES = ['/genai/v1/models', '/genai/v1beta/models'];

export function geminiRoutes(app: Hono<AppEnv>): void {
  for (const base of BASES) {
    app.use(base, authenticate('gemini'));
    app.use(`${base}/*`, authenticate('gemini'));
    app.get(base, (c) => serveModels(c, 'gemini', 'gemini'));
    app.get(`${base}/:model{.+}`, (c) => serveModel(c, c.req.param('model'), 'gemini', 'gemini'));
    app.post(`${base}/:call{.+}`, (c, next) => {
      const call = c.req.param('call');
      const colon = call.lastIndexOf(':');
      const operation = GEMINI_OPERATIONS.get(call.slice(colon + 1));
      if (colon < 1 || operation === undefined) return next();
      return serveCall(operation, call.slice(0, colon))(c, next);
    });
    app.on(['PUT', 'PATCH', 'DELETE'], [base, `${base}/*`], (c) => {
      const text = `${c.req.method} is not a method of ${c.req.path}; use GET to list models and POST to call one.`;
      const response = errorResponse(failure('method_not_allowed', text), 'gemini', c.var.requestId);
      response.headers.set('allow', 'GET, POST');
      return response;
    });
  }
}
