// Lets an operator try the webhook.
import { Hono } from 'hono';
import { testMessage } from '../../../budget/alert-message.ts';
import { newId } from '../../../lib/ids.ts';
import { failure } from '../../../policy/failure.ts';
import type { AppEnv } from '../../app-env.ts';
import { methodNotAllowed, problem } from './answers.ts';

export function alertRoutes(): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.post('/test', async (c) => {
    const at = c.var.services.now();
    const id = newId('alr', at);
    const receipt = await c.var.services.postWebhook(testMessage(id, at));
    switch (receipt.outcome) {
      case 'delivered':
        return c.json({ id, delivered: true });
      case 'not_configured':
        return problem(c, failure('conflict', 'No webhook is configured. Set alerts.webhook in the configuration.'));
      case 'gone':
        return problem(c, failure('upstream_error', 'The webhook answered 410: whoever is there wants no alerts.'));
      case 'failed':
        return problem(c, failure('upstream_error', `The webhook ${receipt.reason}.`));
    }
  });
  routes.all('/test', methodNotAllowed('POST'));
  return routes;
}
