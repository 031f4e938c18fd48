import type { BudgetLedger } from '../durable-objects/budget-ledger.ts';
import type { McpSession } from '../durable-objects/mcp-session.ts';
import type { PrincipalSession } from '../durable-objects/principal-session.ts';
import type { SessionRegister } from '../durable-objects/session-register.ts';
import type { UpstreamHealth } from '../durable-objects/upstream-health.ts';

/** The worker's bindings. What differs between the ways to run lives here, never in the code. */
export interface Env {
  readonly DB: D1Database;
  readonly BUDGET_LEDGER: DurableObjectNamespace<BudgetLedger>;
  readonly MCP_SESSION: DurableObjectNamespace<McpSession>;
  readonly PRINCIPAL_SESSION: DurableObjectNamespace<PrincipalSession>;
  readonly SESSION_REGISTER: DurableObjectNamespace<SessionRegister>;
  readonly UPSTREAM_HEALTH: DurableObjectNamespace<UpstreamHealth>;
  /** The stdio bridge. Absent where none runs: stdio servers then say so. */
  readonly BRIDGE?: Fetcher;
  /** Shared with the bridge, made anew at each start. */
  readonly SALLYPORT_BRIDGE_SECRET?: string;
  /**
   * Reaches private addresses too, for what the operator configured. Where it is absent (Cloudflare, `wrangler dev`)
   * the platform's own `fetch` serves. The global `fetch` of a self-hosted gateway reaches public addresses only.
   */
  readonly OPERATOR_NETWORK?: Fetcher;
  /** See `http/foreign-host.ts`. Set where the gateway itself listens on loopback, or the operator says so. */
  readonly SALLYPORT_ALLOWED_HOSTS?: string;
  readonly SALLYPORT_ADMIN_TOKEN?: string;
  /** 32 random bytes in base64; seals stored secrets and keys the hash of virtual keys. */
  readonly SALLYPORT_MASTER_KEY?: string;
}
