// What a run through the gateway lost against the run without it.
import type { Check } from './suite.ts';

export interface Tally {
  readonly passed: number;
  /** Failures and warnings; nothing that a suite complains about is let pass. */
  readonly failed: number;
}

export function tallyOf(checks: readonly Check[]): Tally {
  return { passed: checks.filter(hasPassed).length, failed: checks.filter(hasFailed).length };
}

const hasPassed = (check: Check): boolean => check.status === 'SUCCESS';
export const hasFailed = (check: Check): boolean => check.status === 'FAILURE' || check.status === 'WARNING';

/** The scenarios with a check that did not pass. */
export function complainedOf(checks: readonly Check[]): string[] {
  return [...new Set(checks.filter(hasFailed).map(({ scenario }) => scenario))];
}

/** One line per failed check of these scenarios. */
export function failuresOf(checks: readonly Check[], scenarios: readonly string[]): string[] {
  const missing = scenarios.filter((scenario) => !checks.some((check) => check.scenario === scenario));
  const failed = checks.filter((check) => scenarios.includes(check.scenario) && hasFailed(check));
  return [...missing.map((scenario) => `${scenario}: was not run`), ...failed.map(described)];
}

/** One line per check that passed `before` and does not `after`, and per complaint that was not there before. */
export function lossesBetween(before: readonly Check[], after: readonly Check[]): string[] {
  const lines: string[] = [];
  const passedBefore = countByIdentity(before.filter(hasPassed));
  const passedAfter = countByIdentity(after.filter(hasPassed));
  for (const [identity, count] of passedBefore) {
    const left = passedAfter.get(identity) ?? 0;
    if (left >= count) continue;
    const now = after.filter((check) => identityOf(check) === identity && !hasPassed(check)).map(described);
    lines.push(`${identity}: passed ${count} times, now ${left}${now.length > 0 ? `; ${now.join('; ')}` : ''}`);
  }
  const failedBefore = countByIdentity(before.filter(hasFailed));
  const added = after.filter((check) => hasFailed(check) && !failedBefore.has(identityOf(check)));
  return [...lines, ...added.filter((check) => !passedBefore.has(identityOf(check))).map(described)];
}

function identityOf(check: Check): string {
  return `${check.scenario}/${check.id}/${check.name}`;
}

function described(check: Check): string {
  return `${identityOf(check)}: ${check.status}${check.errorMessage === undefined ? '' : ` ${check.errorMessage}`}`;
}

function countByIdentity(checks: readonly Check[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const check of checks) counts.set(identityOf(check), (counts.get(identityOf(check)) ?? 0) + 1);
  return counts;
}
