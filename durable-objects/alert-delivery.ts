// Brings waiting alerts to the webhook, each at least once, and says how that ended.
import type { AuditEvent } from '../src/audit/event.ts';
import { retryDelay } from '../src/budget/alert.ts';
import { alertEvent, type ThresholdAlert } from '../src/budget/alert-message.ts';
import type { WebhookReceipt } from '../src/egress/webhook.ts';
import { newId } from '../src/lib/ids.ts';
import { describeFault, log } from '../src/lib/log.ts';
import type { AlertOutbox, ClaimedAlert } from './alert-outbox.ts';
import type { AlertSenderRpc } from './contracts.ts';

/** The sender gives up long before; a gateway in trouble may not. */
const ATTEMPT_LIMIT_MS = 15_000;
/** When an attempt is taken for lost, with whoever made it. */
const CLAIM_MS = 20_000;
/** While more wait, the webhook has been away for long: what fails then is not tried again. */
const MOST_WAITING = 1_000;

export interface AlertDeliveryPorts {
  readonly outbox: AlertOutbox;
  readonly sender: AlertSenderRpc;
  /** Keeps the event, in one transaction with what `settle` does. */
  readonly record: (event: AuditEvent, settle: () => void) => Promise<void>;
  /** Sees to it that `deliver` is called by then, even if this object ends. */
  readonly wakeBy: (at: number) => Promise<void>;
}

/** One attempt at a time: a webhook that hangs is to hold one request, not many. */
export class AlertDelivery {
  readonly #ports: AlertDeliveryPorts;
  /** Of the attempt under way. */
  #claimedUntil: number | undefined;

  constructor(ports: AlertDeliveryPorts) {
    this.#ports = ports;
  }

  /** Makes the attempts that are due, unless somebody does already, and sees to the next. */
  async deliver(): Promise<void> {
    if (this.#claimedUntil !== undefined) return this.#ports.wakeBy(this.#claimedUntil);
    let notBefore = 0;
    try {
      for (let claimed = this.#claim(); claimed !== undefined; claimed = this.#claim()) await this.#attempt(claimed);
    } catch (fault) {
      log('error', 'alert.delivery_broke', { fault: describeFault(fault) });
      notBefore = Date.now() + CLAIM_MS;
    } finally {
      this.#claimedUntil = undefined;
    }
    const { nextAttemptAt } = this.#ports.outbox;
    if (nextAttemptAt !== undefined) await this.#ports.wakeBy(Math.max(nextAttemptAt, notBefore));
  }

  #claim(): ClaimedAlert | undefined {
    const now = Date.now();
    this.#claimedUntil = now + CLAIM_MS;
    return this.#ports.outbox.claim(now, this.#claimedUntil);
  }

  async #attempt(claimed: ClaimedAlert): Promise<void> {
    const { alert, attempt } = claimed;
    // In the turn of the claim, hence in its commit: an attempt that is lost is made again.
    await this.#ports.wakeBy(this.#claimedUntil ?? 0);
    if (attempt === 1) logThreshold(alert);
    const receipt = await this.#send(alert);
    switch (receipt.outcome) {
      case 'delivered':
      case 'not_configured':
        return this.#conclude(claimed);
      case 'gone':
        return this.#conclude(claimed, 'webhook_gone');
      case 'failed':
        return this.#failed(claimed, receipt);
    }
  }

  async #send(alert: ThresholdAlert): Promise<WebhookReceipt> {
    const done = new AbortController();
    const late = async (): Promise<WebhookReceipt> => {
      await scheduler.wait(ATTEMPT_LIMIT_MS, { signal: done.signal });
      return { outcome: 'failed', reason: 'was not reached in time' };
    };
    try {
      return await Promise.race([this.#ports.sender.send(alert), late()]);
    } catch (fault) {
      // A configuration that cannot be read, for instance: the alert waits.
      return { outcome: 'failed', reason: `was not tried: ${describeFault(fault)}` };
    } finally {
      done.abort();
    }
  }

  async #failed(
    claimed: ClaimedAlert,
    { reason, retryAfterMs }: WebhookReceipt & { outcome: 'failed' },
  ): Promise<void> {
    const { alert, attempt } = claimed;
    const { outbox } = this.#ports;
    const now = Date.now();
    const age = now - alert.at;
    const asked = retryAfterMs === undefined ? {} : { askedFor: retryAfterMs };
    const delay = retryDelay(attempt, { age, ...asked, jitter: Math.random() });
    if (delay === undefined || outbox.waitingCount > MOST_WAITING) {
      log('error', 'alert.given_up', { alert: alert.id, attempt, reason });
      return this.#conclude(claimed, 'webhook_failed');
    }
    outbox.postpone(claimed, now + delay);
    log('warn', 'alert.not_delivered', { alert: alert.id, attempt, reason, retry_in_ms: delay });
  }

  /** @param reason why nobody was told */
  #conclude(claimed: ClaimedAlert, reason?: string): Promise<void> {
    const { alert, attempt } = claimed;
    const end = { attempt, ...(reason === undefined ? {} : { reason }) };
    const event = alertEvent(alert, end, newId('evt', Date.now()));
    return this.#ports.record(event, () => this.#ports.outbox.remove(claimed));
  }
}

function logThreshold({ id, tier, name, tool, metric, share, spent, amount, period }: ThresholdAlert): void {
  log('warn', 'limit.threshold', { alert: id, tier, name, tool, metric, share, spent, amount, period });
}
