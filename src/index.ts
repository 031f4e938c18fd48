import { createApp } from './app.ts';

export { BudgetLedger } from '../durable-objects/budget-ledger.ts';
export { SessionRegister } from '../durable-objects/session-register.ts';
export { UpstreamHealth } from '../durable-objects/upstream-health.ts';
export { AlertSender } from './alert-sender.ts';
export { McpSession } from './mcp-session-object.ts';
export { PrincipalSession } from './principal-session-object.ts';
export { UpstreamProber } from './upstream-prober.ts';

const app = createApp();

export default { fetch: app.fetch };
