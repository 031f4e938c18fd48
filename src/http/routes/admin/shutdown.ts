// The end of the gateway, announced and then seen through: whoever ends it keeps the body of this request open until
// nobody else is connected, and waits for the end of the answer.
import { Hono } from 'hono';
import { describeFault, log } from '../../../lib/log.ts';
import { announceShutdown } from '../../../mcp/shutdown.ts';
import type { AppEnv } from '../../app-env.ts';
import { methodNotAllowed } from './answers.ts';

export function shutdownRoutes(): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.post('/', (c) => {
    const { now, waitUntil, comeToRest } = c.var.services;
    announceShutdown(now());
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const rest = async (): Promise<void> => {
      try {
        await c.req.raw.body?.pipeTo(new WritableStream());
        if (!(await comeToRest())) log('warn', 'shutdown.unfinished', {});
      } catch (fault) {
        log('error', 'shutdown.failed', { fault: describeFault(fault) });
      } finally {
        await writable.close();
      }
    };
    waitUntil(rest());
    return c.body(readable, 202);
  });
  routes.all('/', methodNotAllowed('POST'));
  return routes;
}
