// Configurations with limits on chosen tiers, each key with owners of its own. JSON, which is YAML too.
import { BILLED_MODEL, NANO_USD_PER_TOKEN, type BillingProvider } from './billing-provider.ts';

export interface Limits {
  readonly budgets?: readonly {
    readonly limit_usd: number;
    readonly period: string;
    readonly calendar?: boolean;
    readonly alert_at?: readonly number[];
  }[];
  readonly rate_limit?: {
    readonly requests?: number;
    readonly tokens?: number;
    readonly concurrent?: number;
    readonly period?: string;
  };
}

export interface LimitedOwners {
  readonly customer?: Limits;
  readonly team?: Limits;
  readonly virtual_key?: Limits;
  readonly provider_config?: Limits;
}

export interface LimitedKey extends LimitedOwners {
  readonly name: string;
  /** Further keys of the same team and customer. */
  readonly siblings?: readonly Sibling[];
}

type Sibling = Pick<LimitedKey, 'name' | 'virtual_key' | 'provider_config'>;

export const LLM_TIERS = ['customer', 'team', 'virtual_key', 'provider_config'] as const;

/** The value of the key of that name. */
export function keyOf(name: string): string {
  return `vk-test-${name}`;
}

/** A budget of so many calls of one cent. */
export function cents(count: number, period = '1d'): Limits {
  return { budgets: [{ limit_usd: count / 100, period }] };
}

export function budgetConfig(provider: BillingProvider, keys: readonly LimitedKey[]): string {
  return JSON.stringify(budgetDocument(provider, keys));
}

/** As `PUT /api/config` takes it. */
export function budgetDocument(provider: BillingProvider, keys: readonly LimitedKey[]): object {
  const prices = { [BILLED_MODEL]: { input_mtok: 0, output_mtok: NANO_USD_PER_TOKEN / 1000 } };
  return {
    providers: [
      { name: 'biller', base_url: `${provider.url}/v1`, prices },
      { name: 'messages', type: 'anthropic', base_url: provider.url, prices },
      { name: 'impatient', type: 'biller', base_url: `${provider.url}/v1`, timeout: '1s', prices },
    ],
    customers: keys.map(({ name, customer }) => ({ name: `customer-${name}`, ...customer })),
    teams: keys.map(({ name, team }) => ({ name: `team-${name}`, customer: `customer-${name}`, ...team })),
    virtual_keys: keys.flatMap((owner) =>
      [owner, ...(owner.siblings ?? [])].map((key) => keyDocument(key, owner.name)),
    ),
  };
}

function keyDocument({ name, virtual_key: own, provider_config: provided }: Sibling, owner: string): object {
  return {
    key_name: name,
    key: keyOf(name),
    team: `team-${owner}`,
    ...own,
    providers: [{ name: 'biller', ...provided }, { name: 'messages' }, { name: 'impatient' }],
  };
}
