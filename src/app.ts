// Middleware order and mounts: this file is the diagram of a request's way.
import { Hono } from 'hono';
import type { AppEnv } from './http/app-env.ts';

export function createApp(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.get('/healthz', (c) => c.text('ok\n'));
  return app;
}
