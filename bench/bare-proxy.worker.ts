// The floor: the least that a proxy on this runtime and this router can do.
import { Hono } from 'hono';

const app = new Hono<{ Bindings: { readonly UPSTREAM: string } }>();

app.post('/v1/chat/completions', (context) =>
  fetch(`${context.env.UPSTREAM}/v1/chat/completions`, {
    method: 'POST',
    headers: context.req.raw.headers,
    body: context.req.raw.body,
  }),
);

export default app;
