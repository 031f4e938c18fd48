import { createApp } from './app.ts';

export { BudgetLedger } from '../durable-objects/budget-ledger.ts';
export { McpSession } from '../durable-objects/mcp-session.ts';
export { UpstreamHealth } from '../durable-objects/upstream-health.ts';
export { UpstreamProber } from './upstream-prober.ts';

const app = createApp();

export default { fetch: app.fetch };
