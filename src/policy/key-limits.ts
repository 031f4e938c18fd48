// Everything that bounds a key, by the ledger that keeps it: what a key may be told about itself.
import type { Limit } from '../budget/limits.ts';
import { serverLedger } from './charge-plans.ts';
import type { PolicySnapshot, VirtualKey } from './snapshot.ts';

export interface LedgerLimits {
  /** Name of the ledger object: the payer, or `server:<name>`. */
  readonly ledger: string;
  /** At least one. */
  readonly limits: readonly Limit[];
}

type LimitedKey = Pick<VirtualKey, 'principal' | 'limits' | 'tools' | 'resources' | 'prompts'>;

/** Limits of providers and servers that the key is not granted are left out: it may not know of them. */
export function limitsOver(key: LimitedKey, { upstreams }: Pick<PolicySnapshot, 'upstreams'>): LedgerLimits[] {
  const { limits } = key;
  const servers = [...new Set([...key.tools.keys(), ...key.resources.keys(), ...key.prompts.keys()])];
  const own = [
    ...(limits?.own ?? []),
    ...[...(limits?.providers.values() ?? [])].flat(),
    ...servers.flatMap((server) => limits?.mcpClients.get(server) ?? []),
  ];
  const found = [
    { ledger: key.principal.payer, limits: own },
    ...servers.map((server) => ({ ledger: serverLedger(server), limits: upstreams.get(server)?.limits ?? [] })),
  ];
  return found.filter(({ limits: some }) => some.length > 0);
}
