// What a provider answers, what is read from it, and what it costs. Every cost is worked out by hand beside it: a token
// at $1 per million is 1,000 nano-dollars, a piece at $1 per thousand 1,000,000.
import type { ModelPrice } from '../../../../src/budget/price.ts';
import type { Usage } from '../../../../src/budget/usage.ts';
import type { OPERATIONS } from '../../../../src/llm/operation.ts';
import type { ProviderTypeName } from '../../../../src/config/provider-type-names.ts';

export interface UsageFixture {
  readonly name: string;
  readonly operation: keyof typeof OPERATIONS;
  readonly provider: ProviderTypeName;
  readonly model: string;
  /** The list's, at the time of the fixtures: a changed list shows as a changed price, not as a wrong sum. */
  readonly prices: ModelPrice;
  readonly body?: unknown;
  readonly events?: string;
  readonly usage: Omit<Usage, 'certainty'>;
  /** `exact` where absent. */
  readonly certainty?: Usage['certainty'];
  /** In nano-dollars; undefined where it is not known. */
  readonly cost: number | undefined;
}

/** Noon, 22 November 2026: prices change with the date and, at some, with the hour. */
export const FIXTURE_TIME = Date.UTC(2026, 10, 22, 12);

/** An event stream as it stands on the wire. @param events as `[type, data]`, or data alone */
export function sse(events: readonly (readonly [string, unknown] | unknown)[]): string {
  return events
    .map((event) => {
      const [type, data] = Array.isArray(event) ? event : ['', event];
      const text = typeof data === 'string' ? data : JSON.stringify(data);
      return `${type === '' ? '' : `event: ${type}\n`}data: ${text}\n\n`;
    })
    .join('');
}
