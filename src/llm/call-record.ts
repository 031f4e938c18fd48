// What the audit keeps of a call to a model, and that it is kept before the call counts as done.
import { auditContent } from '../audit/content.ts';
import type { AuditEvent, AuditOutcome } from '../audit/event.ts';
import { AuditOverflow, type Recorder } from '../audit/recorder.ts';
import type { Tags } from '../audit/tags.ts';
import { costOf } from '../budget/price.ts';
import { toNanoUsd, type NanoUsd } from '../budget/money.ts';
import type { Usage } from '../budget/usage.ts';
import type { SettingsDocument } from '../config/document.ts';
import { newId } from '../lib/ids.ts';
import { describeFault, log } from '../lib/log.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { failure, type Failure } from '../policy/failure.ts';
import type { VirtualKey } from '../policy/snapshot.ts';
import type { AdmittedCall, SettledCall } from './call-limits.ts';
import type { CallProgress } from './estimate/charge.ts';
import { AUDIT_PAUSE_MS } from './limits.ts';
import { modelPricing } from './model-price.ts';
import type { ModelTarget } from './resolve-model.ts';
import type { ResponseFacts } from './response-reader.ts';

/** On whose behalf a model is called, and what goes on the record of it. */
export interface LlmCaller {
  readonly virtualKey: Pick<VirtualKey, 'principal' | 'providers' | 'limits'>;
  readonly settings: Pick<SettingsDocument, 'audit'>;
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly client?: string;
  readonly tags?: Tags;
  /** Of the event, where it has to be known before the call is over. */
  readonly eventId?: string;
  /** The audit event of which this call is a part. */
  readonly parentId?: string;
}

export interface RecordPorts {
  readonly now: () => number;
  readonly recorder: Recorder;
}

/** How a call ended. */
export interface CallEnd {
  readonly outcome: AuditOutcome;
  readonly reason?: string;
  readonly status: number;
  /** `not_sent` where it is absent. */
  readonly progress?: CallProgress;
  readonly facts?: ResponseFacts;
  readonly responseBytes?: number;
  readonly stream?: boolean;
  readonly response?: unknown;
}

// Plain data of the isolate: until when the audit buffer is taken to be full.
let auditFullUntil = 0;

export class CallRecord {
  model: string | undefined;
  target: ModelTarget | undefined;
  requestBytes: number | undefined;
  request: unknown;
  upstreamMs: number | undefined;
  /** Once limits let the call pass; absent where nothing bounds it. */
  admitted: AdmittedCall | undefined;
  readonly #ports: RecordPorts;
  readonly #caller: LlmCaller;

  constructor(ports: RecordPorts, caller: LlmCaller) {
    this.#ports = ports;
    this.#caller = caller;
  }

  /** Whether nothing can be recorded at present, so that nothing may be called. */
  get isClosed(): boolean {
    return this.#ports.now() < auditFullUntil;
  }

  get isDurable(): boolean {
    return this.#caller.settings.audit.durability.llm_calls === 'durable';
  }

  /** Undefined where the usage or the price is not known. */
  costOf(usage: Usage | undefined, responseModel?: string): NanoUsd | undefined {
    if (usage === undefined || this.target === undefined) return undefined;
    const pricing = modelPricing(this.target, this.#ports.now(), responseModel);
    if (pricing === 'free') return toNanoUsd(0);
    return pricing === undefined ? undefined : costOf(usage, pricing.price, pricing.rates);
  }

  /** Leaves the one event of the call. Fails when it cannot be kept: the answer must then be withheld. */
  async settle(end: CallEnd): Promise<Result<NanoUsd | undefined, Failure>> {
    const cost = this.costOf(end.facts?.usage, end.facts?.responseModel);
    const settled = this.#settleLimits(end, cost);
    const { payer } = this.#caller.virtualKey.principal;
    try {
      const event = {
        ...this.#event(end, cost),
        ...limitFields(cost, this.admitted?.estimatedCost, settled?.chargedCost),
        ...(await this.#content(end)),
      };
      if (this.isDurable) await this.#ports.recorder.durable(payer, event, settled?.charges);
      else this.#ports.recorder.batched(payer, event, settled?.charges);
      return ok(cost);
    } catch (fault) {
      if (fault instanceof AuditOverflow) auditFullUntil = this.#ports.now() + AUDIT_PAUSE_MS;
      log('error', 'audit.event.lost', { request_id: this.#caller.requestId, fault: describeFault(fault) });
      return err(auditUnavailable());
    }
  }

  #settleLimits({ progress = 'not_sent', facts }: CallEnd, cost: NanoUsd | undefined): SettledCall | undefined {
    return this.admitted?.settle({
      progress,
      ...(facts !== undefined && { facts }),
      ...(cost !== undefined && { cost }),
      ...(this.upstreamMs !== undefined && { elapsedMs: this.upstreamMs }),
    });
  }

  /** Hashing every prompt would cost more than passing it on, so `hash` keeps nothing of calls to models. */
  async #content(end: CallEnd): Promise<Pick<AuditEvent, 'args_sha256' | 'arguments' | 'result'>> {
    const policy = this.#caller.settings.audit.content;
    if (policy === 'none' || policy === 'hash') return {};
    return auditContent(policy, { arguments: this.request, result: end.response });
  }

  #event(end: CallEnd, cost: NanoUsd | undefined): AuditEvent {
    const { principal } = this.#caller.virtualKey;
    const { requestId, receivedAt, client, tags, eventId, parentId } = this.#caller;
    const now = this.#ports.now();
    return {
      id: eventId ?? newId('evt', now),
      at: receivedAt,
      kind: 'llm.call',
      outcome: end.outcome,
      ...(end.reason !== undefined && { reason: end.reason }),
      request_id: requestId,
      ...(parentId !== undefined && { parent_id: parentId }),
      key_id: principal.keyId,
      key_name: principal.keyName,
      ...(principal.team !== undefined && { team: principal.team }),
      ...(principal.customer !== undefined && { customer: principal.customer }),
      principal: `${principal.kind}:${principal.keyId}`,
      ...(client !== undefined && { client }),
      ...(this.target !== undefined && { provider: this.target.provider.name, attempt: 1 }),
      ...(this.model !== undefined && { model: this.model }),
      ...(end.stream !== undefined && { stream: end.stream }),
      ...factFields(end.facts),
      ...(cost !== undefined && { cost_nano_usd: cost }),
      latency_ms: now - receivedAt,
      ...(this.upstreamMs !== undefined && { upstream_ms: this.upstreamMs }),
      status: end.status,
      ...(this.requestBytes !== undefined && { request_bytes: this.requestBytes }),
      ...(end.responseBytes !== undefined && { response_bytes: end.responseBytes }),
      ...(tags !== undefined && { tags }),
    };
  }
}

export function auditUnavailable(): Failure {
  const text = 'The gateway cannot write its audit record at present and lets nothing pass. Try again shortly.';
  return failure('audit_unavailable', text, { retryAfterSeconds: 1 });
}

function limitFields(
  cost: NanoUsd | undefined,
  estimated: NanoUsd | undefined,
  charged: NanoUsd | undefined,
): Pick<AuditEvent, 'estimate_nano_usd' | 'charged_nano_usd'> {
  return {
    ...(estimated !== undefined && { estimate_nano_usd: estimated }),
    ...(charged !== undefined && charged !== cost && { charged_nano_usd: charged }),
  };
}

function factFields(facts: ResponseFacts | undefined): Partial<AuditEvent> {
  if (facts === undefined) return {};
  const { usage, responseModel, toolUseIds } = facts;
  return {
    ...(responseModel !== undefined && { response_model: responseModel }),
    ...(toolUseIds.length > 0 && { tool_use_id: toolUseIds.join(',') }),
    ...(usage !== undefined && {
      usage_certainty: usage.certainty,
      ...(usage.inputTokens !== undefined && { input_tokens: usage.inputTokens }),
      ...(usage.outputTokens !== undefined && { output_tokens: usage.outputTokens }),
      ...(usage.cacheReadTokens !== undefined && { cache_read_tokens: usage.cacheReadTokens }),
      ...(usage.cacheWriteTokens !== undefined && { cache_write_tokens: usage.cacheWriteTokens }),
      ...(usage.reasoningTokens !== undefined && { reasoning_tokens: usage.reasoningTokens }),
    }),
  };
}
