// What the gateway says was spent, in each place where it says so.
import { eventually, type GatewayProcess } from './gateway-process.ts';

export interface AuditRow {
  readonly id: string;
  readonly kind: string;
  readonly outcome: string;
  readonly reason?: string;
  readonly key_name?: string;
  readonly cost_nano_usd?: number;
  readonly usage_certainty?: string;
  readonly output_tokens?: number;
}

/** Of one key. */
export async function auditRows(gateway: GatewayProcess, keyName: string): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ key: keyName, limit: '500', ...(cursor === null ? {} : { cursor }) });
    const page = (await gateway.admin(`/api/audit-events?${query}`)) as {
      items: AuditRow[];
      next_cursor: string | null;
    };
    rows.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return rows;
}

/** Polls until every call of the key is on record: events leave the isolate, and then the ledger, a little later. */
export function recordedCalls(gateway: GatewayProcess, keyName: string, count: number): Promise<readonly AuditRow[]> {
  return eventually(`${count} audit rows of ${keyName}`, 30_000, async () => {
    const rows = await auditRows(gateway, keyName);
    return rows.length >= count ? rows : undefined;
  });
}

export function costOf(rows: readonly AuditRow[]): number {
  return rows.reduce((sum, row) => sum + (row.cost_nano_usd ?? 0), 0);
}

/** How one limit stands. Of money in nano-dollars. */
export interface Standing {
  readonly tier: string;
  readonly metric: string;
  readonly limit: number;
  readonly spent: number;
  readonly reserved: number;
  readonly presumed: number;
  readonly over: number;
}

/** How the limits over a key stand, as the key itself may read it; of four tiers the widest first. */
export async function usageOf(gateway: GatewayProcess, key: string): Promise<readonly Standing[]> {
  const response = await fetch(`${gateway.url}/v1/usage`, { headers: { authorization: `Bearer ${key}` } });
  if (!response.ok) throw new Error(`/v1/usage answered ${response.status}: ${await response.text()}`);
  const { limits } = (await response.json()) as { limits: readonly Standing[] };
  return limits.map(({ tier, metric, limit, spent, reserved, presumed, over }) => {
    const exact = (shown: number): number => (metric === 'cost' ? Math.round(shown * 1e9) : shown);
    return {
      tier,
      metric,
      limit: exact(limit),
      spent: exact(spent),
      reserved: exact(reserved),
      presumed: exact(presumed),
      over: exact(over),
    };
  });
}

/** Once nothing is reserved any more. */
export function settledUsage(gateway: GatewayProcess, key: string): Promise<readonly Standing[]> {
  return eventually('every call to be settled', 30_000, async () => {
    const standings = await usageOf(gateway, key);
    return standings.every(({ reserved }) => reserved === 0) ? standings : undefined;
  });
}

/** What a key has spent by the rollups, in nano-dollars. */
export async function spendOf(gateway: GatewayProcess, keyName: string): Promise<number> {
  const page = (await gateway.admin(`/api/spend?${new URLSearchParams({ key: keyName })}`)) as {
    items: readonly { readonly cost_nano_usd?: number }[];
  };
  return page.items.reduce((sum, item) => sum + (item.cost_nano_usd ?? 0), 0);
}
