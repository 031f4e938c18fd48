// Posts to the operator's webhook, signed as https://www.standardwebhooks.com has it.
import type { Env } from '../env.ts';
import type { WebhookMessage } from '../budget/alert-message.ts';
import type { WebhookSettings } from '../config/settings-document.ts';
import { webhookKey } from '../config/webhook-secret.ts';
import { PRODUCT } from '../lib/product.ts';
import { asEgressError } from './egress-error.ts';

/** For the head of the answer; its body is not read. */
const DEADLINE_MS = 10_000;
const GONE = 410;

/** What became of one attempt. `reason` reads on from "the webhook", and names neither its address nor its secret. */
export type WebhookReceipt =
  | { readonly outcome: 'delivered' }
  /** Nobody is to be told. */
  | { readonly outcome: 'not_configured' }
  /** The receiver wants no more. */
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'failed'; readonly reason: string; readonly retryAfterMs?: number };

export type PostWebhook = (message: WebhookMessage) => Promise<WebhookReceipt>;

/** @param settings of the webhook as configured now; undefined where there is none */
export function createWebhook(
  env: Pick<Env, 'OPERATOR_NETWORK'>,
  { settings, now }: { readonly settings: () => Promise<WebhookSettings | undefined>; readonly now: () => number },
): PostWebhook {
  return async (message) => {
    const webhook = await settings();
    if (webhook === undefined) return { outcome: 'not_configured' };
    const request = await signedRequest(webhook.secret, message, now());
    if (request === undefined) return { outcome: 'failed', reason: 'has a secret that is not base64' };
    // What the global `fetch` reaches is public (`env.ts`), whatever the name resolves to.
    const network = webhook.allow_private ? env.OPERATOR_NETWORK : undefined;
    try {
      const { url } = webhook;
      return await receiptOf(await (network === undefined ? fetch(url, request) : network.fetch(url, request)));
    } catch (error) {
      // What the platform says may hold the address.
      return { outcome: 'failed', reason: asEgressError(error)?.message ?? 'could not be posted to' };
    }
  };
}

/** Redirects are not followed: where they lead was not configured, and may be a private address. */
async function signedRequest(secret: string, message: WebhookMessage, now: number): Promise<RequestInit | undefined> {
  const bytes = webhookKey(secret);
  if (bytes === undefined) return undefined;
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const body = JSON.stringify(message);
  const timestamp = String(Math.floor(now / 1_000));
  const signed = new TextEncoder().encode(`${message.id}.${timestamp}.${body}`);
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', key, signed));
  return {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': `${PRODUCT.name}/${PRODUCT.version}`,
      'webhook-id': message.id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${btoa(String.fromCharCode(...signature))}`,
    },
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(DEADLINE_MS),
  };
}

async function receiptOf(response: Response): Promise<WebhookReceipt> {
  await response.body?.cancel();
  const { ok, status } = response;
  if (ok) return { outcome: 'delivered' };
  if (status === GONE) return { outcome: 'gone' };
  const redirected = status >= 300 && status < 400;
  const reason = `answered ${status}${redirected ? ', a redirect, which is not followed' : ''}`;
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return { outcome: 'failed', reason, ...(seconds > 0 && { retryAfterMs: seconds * 1_000 }) };
}
