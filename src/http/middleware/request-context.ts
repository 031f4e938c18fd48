import type { MiddlewareHandler } from 'hono';
import { newId } from '../../lib/ids.ts';
import type { createServices } from '../../services.ts';
import type { AppEnv } from '../app-env.ts';

/** Gives the request its id, its arrival time and its services; every answer carries the id. */
export function requestContext(create: typeof createServices): MiddlewareHandler<AppEnv> {
  return async function giveContext(c, next) {
    const receivedAt = Date.now();
    const requestId = newId('req', receivedAt);
    c.set('receivedAt', receivedAt);
    c.set('requestId', requestId);
    c.set('services', create(c.env, c.executionCtx));
    await next();
    c.res.headers.set('x-sallyport-request-id', requestId);
  };
}
