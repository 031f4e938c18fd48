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

/** As `LimitStanding`, in the words of the API. */
export interface Standing {
  readonly limit: { readonly tier: string; readonly amount: number };
  readonly spent: number;
  readonly reserved: number;
  readonly over: number;
}

/** How the limits over a key stand, as the key itself may read it. */
export async function usageOf(gateway: GatewayProcess, key: string): Promise<readonly Standing[]> {
  const response = await fetch(`${gateway.url}/v1/usage`, { headers: { authorization: `Bearer ${key}` } });
  if (!response.ok) throw new Error(`/v1/usage answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { limits: Standing[] }).limits;
}

/** Once nothing is reserved any more. */
export function settledUsage(gateway: GatewayProcess, key: string): Promise<readonly Standing[]> {
  return eventually('every call to be settled', 30_000, async () => {
    const standings = await usageOf(gateway, key);
    return standings.every(({ reserved }) => reserved === 0) ? standings : undefined;
  });
}
