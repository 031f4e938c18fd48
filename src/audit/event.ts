// One event per tool call, resource read, prompt got, LLM call, denied authentication, change of the configuration or of
// a tool's definition, and alert of a limit. Field names are those of the audit API. What never enters an event: a
// credential, a header, a body (unless `audit.content` says so).

export const AUDIT_KINDS = [
  'tool.call',
  'resource.read',
  'prompt.get',
  'extension.call',
  'llm.call',
  'auth.denied',
  'config.changed',
  'tool.definition.changed',
  'tool.definition.approved',
  'limit.threshold',
] as const;
export type AuditKind = (typeof AUDIT_KINDS)[number];

export const AUDIT_OUTCOMES = ['ok', 'error', 'denied', 'cancelled', 'lost'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

export interface AuditEvent {
  /** `evt_…`, ascending with time; the key by which a repeated delivery is recognised. */
  readonly id: string;
  /** Milliseconds since the epoch, when the request arrived. */
  readonly at: number;
  readonly kind: AuditKind;
  readonly outcome: AuditOutcome;
  /** Why, for every outcome but `ok`: a failure code or a short word. */
  readonly reason?: string;
  readonly request_id?: string;
  readonly parent_id?: string;
  readonly key_id?: string;
  readonly key_name?: string;
  readonly team?: string;
  readonly customer?: string;
  readonly principal?: string;
  readonly server?: string;
  /** Wire name at the upstream. */
  readonly tool?: string;
  readonly session?: string;
  /** What the client calls itself: MCP client info, else the user agent; at most 200 characters. */
  readonly client?: string;
  readonly provider?: string;
  /** As the caller named it. */
  readonly model?: string;
  readonly response_model?: string;
  readonly stream?: boolean;
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cache_read_tokens?: number;
  readonly cache_write_tokens?: number;
  readonly reasoning_tokens?: number;
  readonly usage_certainty?: 'exact' | 'lower_bound';
  /** Integer NanoUsd; absent where the price is not known, never a made-up zero. */
  readonly cost_nano_usd?: number;
  /**
   * What the call was held to cost at most before it was sent; only where a budget applied. A cost above it is counted
   * all the same.
   */
  readonly estimate_nano_usd?: number;
  /** What budgets were charged, where that is not the cost: more, where not all of the usage is known. */
  readonly charged_nano_usd?: number;
  readonly latency_ms?: number;
  /** Absent where nothing was sent. */
  readonly upstream_ms?: number;
  /** HTTP status answered to the caller. */
  readonly status?: number;
  readonly request_bytes?: number;
  readonly response_bytes?: number;
  /** 1 for the first attempt. */
  readonly attempt?: number;
  readonly tags?: Readonly<Record<string, string>>;
  /** The model's own id of the tool use, by which tool calls and LLM calls join. LLM calls that ask for several list them. */
  readonly tool_use_id?: string;
  readonly args_sha256?: string;
  /** Arguments and result as JSON text, only under `audit.content: redacted | full`. */
  readonly arguments?: string;
  readonly result?: string;
  /**
   * What changed, for `config.changed` and those of definitions: object kind and name, secrets masked. Tier, name and
   * what was reached, for `limit.threshold`. For `resource.read` the URI at the upstream, for `prompt.get` the prompt's
   * wire name, for `extension.call` the method.
   */
  readonly subject?: string;
}
