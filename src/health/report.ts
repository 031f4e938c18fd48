// What is known of an upstream's condition. Types only.

/** `unknown` until first tried; `idle` when probing sleeps because nobody used it; `needs_auth` waits for a person. */
export type HealthState = 'unknown' | 'healthy' | 'failing' | 'idle' | 'needs_auth' | 'disabled';
export type FailureStage = 'connect' | 'initialize' | 'list' | 'call' | 'credential';

export interface LastError {
  readonly stage: FailureStage;
  /** At most 500 characters, no secret. For stdio servers it ends with the last lines of stderr. */
  readonly message: string;
  readonly at: number;
  /** When the present run of failures began. */
  readonly since: number;
}

/** Of a server's tool definitions. */
export interface DefinitionCounts {
  /** Kept from clients, for whatever reason. */
  readonly withheld: number;
  /** Waiting for approval. */
  readonly pending: number;
  /** Of the scanner, those of no weight left out. */
  readonly findings: number;
}

export interface HealthReport {
  readonly state: HealthState;
  readonly breaker: 'closed' | 'open' | 'half_open';
  /** When an open breaker lets the next call through; milliseconds since the epoch. */
  readonly retryAt?: number;
  readonly era?: 'modern' | 'legacy';
  readonly checkedAt?: number;
  readonly nextCheckAt?: number;
  readonly latencyMs?: number;
  readonly consecutiveFailures: number;
  readonly lastError?: LastError;
  readonly toolCount: number;
  /** These three absent where nothing of the kind was ever counted. */
  readonly resourceCount?: number;
  readonly resourceTemplateCount?: number;
  readonly promptCount?: number;
  readonly definitions?: DefinitionCounts;
  /** What of the server is left out though it is well, such as tools past the limit. */
  readonly note?: string;
}

/** What the admin API does with health: neither counts as use of the upstream. */
export interface HealthRecords {
  peek(upstream: string): Promise<HealthReport>;
  /** The upstream left the configuration: its process is stopped and what is known of it forgotten. */
  retire(upstream: string): Promise<void>;
}
