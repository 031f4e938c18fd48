import { WorkerEntrypoint } from 'cloudflare:workers';
import type { AlertSenderRpc } from '../durable-objects/contracts.ts';
import { alertMessage, type ThresholdAlert } from './budget/alert-message.ts';
import type { WebhookReceipt } from './egress/webhook.ts';
import type { Env } from './env.ts';
import { createServices } from './services.ts';

/** Delivers on behalf of the ledgers, which hold neither the webhook's secret nor a way to the network. */
export class AlertSender extends WorkerEntrypoint<Env> implements AlertSenderRpc {
  send(alert: ThresholdAlert): Promise<WebhookReceipt> {
    return createServices(this.env, this.ctx).postWebhook(alertMessage(alert));
  }
}
