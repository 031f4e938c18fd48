// What becomes of a listed definition, given what was pinned under its name. Pure.
import type { Vetted } from './vetting.ts';

export interface TrustPolicy {
  /** `pinned`: what is new or changed waits for approval. `open`: it passes, and the audit has an event of it. */
  readonly trust: 'open' | 'pinned';
  /** `block` withholds what has a grave finding; `report` shows findings; `off` looks for none. */
  readonly scan: 'report' | 'block' | 'off';
}

/** How a definition came to be pinned. Only by `name` did a person vouch for this one in particular. */
export type Approval = 'first_sight' | 'open' | 'all' | 'name';

export interface Pin {
  readonly hash: string;
  readonly approval: Approval;
}

export type Change = 'new' | 'changed';

export interface Standing {
  /** Against the pin; absent when it is the same. */
  readonly change?: Change;
  /** Why clients do not have it; absent when they do. */
  readonly withheld?: Change | 'finding';
  /** How it becomes the pinned one; absent when the pin stays. */
  readonly pinnedBy?: Approval;
}

/** @param pin under the definition's name; `unseen` before the server's first listing */
export function standingOf({ hash, findings }: Vetted, pin: Pin | undefined | 'unseen', policy: TrustPolicy): Standing {
  const held = pin === 'unseen' ? undefined : pin;
  const isGrave = policy.scan === 'block' && findings.some(({ severity }) => severity === 'high');
  const vouched = held?.hash === hash && held.approval === 'name';
  const blocked = isGrave && !vouched ? ({ withheld: 'finding' } as const) : {};
  if (pin === 'unseen') return { pinnedBy: 'first_sight', ...blocked };
  if (held?.hash === hash) return blocked;
  const change = held === undefined ? 'new' : 'changed';
  return policy.trust === 'pinned' ? { change, withheld: change } : { change, pinnedBy: 'open', ...blocked };
}
