// What limits cost: the same requests with limits of every kind on four tiers and with none, and requests refused.
import { startGateway, type GatewayProcess } from '../test/support/gateway-process.ts';
import { CHAT_ANSWER, chatRequest } from './chat-request.ts';
import { COUNTERS, LIMITED_OWNERS, limitedKey } from './limited-config.ts';
import { toolCallPlan } from './mcp-request.ts';
import {
  GATEWAY_CORE,
  LOAD_CORE,
  pinPrefix,
  startListening,
  startLoadProcess,
  stopProcess,
  workerdPids,
  type LoadProcess,
} from './pinned-process.ts';
import { benchOptions, printTable, writeResult, type BenchOptions } from './report.ts';
import { runRounds, summarize, type Summary, type Target } from './rounds.ts';

const FREE_KEY = 'vk-bench-unlimited';
const LIMITED_KEY = 'vk-bench-limited';
const SPENT_KEY = 'vk-bench-spent';
const RATED_KEY = 'vk-bench-rated';
const MODEL_REFERENCE = 'completion, no limits';
const TOOL_REFERENCE = 'tool call, no limits';
const MOST_CALLS_TO_EXHAUST = 200;

function gatewayConfig(chatPort: number, mcpPort: number): string {
  const tools = '[{ name: tools, allowed_tools: ["*"] }]';
  const limitedTools =
    ', mcp_clients: [{ name: tools, allowed_tools: ["*"], budgets: [{ limit_usd: 9000000, period: 1d }], rate_limit: { requests: 1000000000, concurrent: 100000, period: 1m } }]';
  return `mcp:
  servers:
    - name: tools
      type: http
      url: http://127.0.0.1:${mcpPort}/mcp
      tool_cost_usd: { "*": 0.000001 }
providers:
  - name: openai
    base_url: http://127.0.0.1:${chatPort}/v1
    keys: [{ name: main, value: sk-bench-upstream }]
${LIMITED_OWNERS}virtual_keys:
  - { key_name: unlimited, key: ${FREE_KEY}, mcp_clients: ${tools}, providers: [{ name: openai }] }
${limitedKey(LIMITED_KEY, 'openai', limitedTools)}  - { key_name: spent, key: ${SPENT_KEY}, budgets: [{ limit_usd: 0.0002, period: 1d }], providers: [{ name: openai }] }
  - { key_name: rated, key: ${RATED_KEY}, rate_limit: { requests: 1, period: 1h }, providers: [{ name: openai }] }
`;
}

async function main(): Promise<void> {
  const options = benchOptions();
  await using ends = new AsyncDisposableStack();
  const load = startLoadProcess();
  ends.defer(() => load.stop());
  const chat = await startListening(LOAD_CORE, [new URL('chat-upstream.ts', import.meta.url).pathname]);
  ends.defer(() => stopProcess(chat.child));
  const tools = await startListening(LOAD_CORE, [new URL('mcp-upstream.ts', import.meta.url).pathname, 'http']);
  ends.defer(() => stopProcess(tools.child));
  const config = gatewayConfig(chat.port, tools.port);
  const gateway = await startGateway({ config, prefix: pinPrefix(GATEWAY_CORE) });
  ends.defer(() => gateway.discard());
  ends.defer(async () => void (await gateway.stop()));
  await exhaust(gateway, SPENT_KEY, 402);
  await exhaust(gateway, RATED_KEY, 429);

  const models = await measure(load, modelTargets(gateway), MODEL_REFERENCE, options);
  const calls = await measure(load, await toolTargets(gateway), TOOL_REFERENCE, options);
  printTable(models, MODEL_REFERENCE);
  printTable(calls, TOOL_REFERENCE);
  console.log(writeResult('ledger', { options, counters: COUNTERS, summaries: [...models, ...calls] }));
}

async function measure(
  load: LoadProcess,
  targets: readonly Target[],
  reference: string,
  options: BenchOptions,
): Promise<Summary[]> {
  const summaries: Summary[] = [];
  for (const connections of options.connections) {
    summaries.push(...summarize(await runRounds(load, targets, { ...options, connections }), reference, connections));
  }
  return summaries;
}

function modelTargets(gateway: GatewayProcess): Target[] {
  const port = Number(new URL(gateway.url).port);
  const target = (name: string, key: string, status: number, expect: string): Target => ({
    name,
    plan: { port, request: chatRequest(key), status, expect },
    cpuPids: () => workerdPids(gateway),
  });
  return [
    target(MODEL_REFERENCE, FREE_KEY, 200, CHAT_ANSWER),
    target('completion, limits', LIMITED_KEY, 200, CHAT_ANSWER),
    target('refused, budget spent', SPENT_KEY, 402, 'budget_exceeded'),
    target('refused, rate limit', RATED_KEY, 429, 'rate_limited'),
  ];
}

async function toolTargets(gateway: GatewayProcess): Promise<Target[]> {
  const port = Number(new URL(gateway.url).port);
  const target = async (name: string, key: string): Promise<Target> => {
    const endpoint = { port, path: '/mcp', headers: { authorization: `Bearer ${key}` } };
    return {
      name,
      plan: await toolCallPlan(endpoint, 'tools__echo', 'modern'),
      cpuPids: () => workerdPids(gateway),
    };
  };
  return [await target(TOOL_REFERENCE, FREE_KEY), await target('tool call, limits', LIMITED_KEY)];
}

/** Calls until a limit is reached, and what was under way has been settled. */
async function exhaust(gateway: GatewayProcess, key: string, status: number): Promise<void> {
  const { path, headers, body } = chatRequest(key);
  let refusedInARow = 0;
  for (let calls = 0; calls < MOST_CALLS_TO_EXHAUST; calls++) {
    const response = await fetch(`${gateway.url}${path}`, { method: 'POST', headers, body });
    await response.text();
    refusedInARow = response.status === status ? refusedInARow + 1 : 0;
    if (refusedInARow === 10) return;
  }
  throw new Error(`${MOST_CALLS_TO_EXHAUST} calls did not exhaust ${key}`);
}

await main();
