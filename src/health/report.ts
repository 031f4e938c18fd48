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
  /** What of the server is left out though it is well, such as tools past the limit. */
  readonly note?: string;
}

/** Reads without marking the upstream as used: for the admin API. */
export interface HealthReader {
  peek(upstream: string): Promise<HealthReport>;
}
