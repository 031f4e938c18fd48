// Limits of every kind on every tier, too large ever to be reached: what remains is what keeping them costs.

/** A request below all of them is charged to this many counters. */
export const COUNTERS = 4 * 5;

const BUDGETS = '[{ limit_usd: 9000000, period: 1d }, { limit_usd: 9000000, period: 1M, calendar: true }]';
const RATE_LIMIT = '{ requests: 1000000000, tokens: 1000000000000, concurrent: 100000, period: 1m }';
const LIMITS = `budgets: ${BUDGETS}, rate_limit: ${RATE_LIMIT}`;

/** The top-level entries that the key needs. */
export const LIMITED_OWNERS = `customers: [{ name: bench-customer, ${LIMITS} }]
teams: [{ name: bench-team, customer: bench-customer, ${LIMITS} }]
`;

/** An item of `virtual_keys`. @param grants further members, in flow style */
export function limitedKey(key: string, provider: string, grants = ''): string {
  return `  - { key_name: ${key}, key: ${key}, team: bench-team, ${LIMITS}${grants}, providers: [{ name: ${provider}, ${LIMITS} }] }
`;
}
