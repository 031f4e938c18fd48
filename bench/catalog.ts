// What the size of a catalog costs: `tools/list` and `tools/call` at 10, 100 and 508 tools over 1, 10 and 50 upstreams,
// in both eras. Calls in a legacy session beside calls without one show what the session object costs.
import { setTimeout as sleep } from 'node:timers/promises';
import { startGateway, type GatewayProcess } from '../test/support/gateway-process.ts';
import { familyOf } from '../test/support/process-table.ts';
import { GATEWAY_CORE, LOAD_CORE, pinPrefix, startListening, startLoadProcess, stopProcess } from './pinned-process.ts';
import { toolCallPlan, toolListPlan, type Era, type McpEndpoint } from './mcp-request.ts';
import { benchOptions, printTable, writeResult } from './report.ts';
import { runRounds, summarize, type Summary, type Target } from './rounds.ts';

const UPSTREAM = new URL('catalog-upstream.ts', import.meta.url).pathname;
const ERAS: readonly Era[] = ['legacy', 'modern'];
const SHAPES = [
  { tools: 10, upstreams: 1 },
  { tools: 10, upstreams: 10 },
  { tools: 100, upstreams: 1 },
  { tools: 100, upstreams: 10 },
  { tools: 100, upstreams: 50 },
  { tools: 508, upstreams: 1 },
  { tools: 508, upstreams: 10 },
  { tools: 508, upstreams: 50 },
] as const;
type Shape = (typeof SHAPES)[number];
const REFERENCE = 'list, 508 tools of 1 upstream (modern)';
const DISCOVERY_MS = 60_000;

const serverName = ({ tools, upstreams }: Shape, index: number): string => `t${tools}-u${upstreams}-${index}`;
const keyOf = ({ tools, upstreams }: Shape): string => `vk-catalog-${tools}-${upstreams}`;
const indexes = ({ upstreams }: Shape): number[] => Array.from({ length: upstreams }, (_, index) => index);

function gatewayConfig(port: number): string {
  const servers = SHAPES.flatMap((shape) =>
    indexes(shape).map((index) => {
      const url = `http://127.0.0.1:${port}/${shape.tools}/${shape.upstreams}/${index}/mcp`;
      return `    - { name: ${serverName(shape, index)}, type: http, url: "${url}" }`;
    }),
  );
  const keys = SHAPES.map((shape) => {
    const clients = indexes(shape).map(
      (index) => `      - { name: ${serverName(shape, index)}, allowed_tools: ["*"] }`,
    );
    const name = `t${shape.tools}-u${shape.upstreams}`;
    return `  - key_name: ${name}\n    key: ${keyOf(shape)}\n    mcp_clients:\n${clients.join('\n')}`;
  });
  return `mcp:\n  servers:\n${servers.join('\n')}\nvirtual_keys:\n${keys.join('\n')}\n`;
}

async function main(): Promise<void> {
  const options = benchOptions();
  await using ends = new AsyncDisposableStack();
  const load = startLoadProcess();
  ends.defer(() => load.stop());
  const upstream = await startListening(LOAD_CORE, [UPSTREAM]);
  ends.defer(() => stopProcess(upstream.child));
  const gateway = await startGateway({ config: gatewayConfig(upstream.port), prefix: pinPrefix(GATEWAY_CORE) });
  ends.defer(() => gateway.discard());
  ends.defer(async () => void (await gateway.stop()));

  const targets = (await Promise.all(SHAPES.map((shape) => targetsOf(gateway, shape)))).flat();
  const summaries: Summary[] = [];
  for (const connections of options.connections) {
    summaries.push(...summarize(await runRounds(load, targets, { ...options, connections }), REFERENCE, connections));
  }
  printTable(summaries, REFERENCE);
  console.log(writeResult('catalog', { options, summaries }));
}

async function targetsOf(gateway: GatewayProcess, shape: Shape): Promise<Target[]> {
  const headers = { authorization: `Bearer ${keyOf(shape)}` };
  const endpoint: McpEndpoint = { port: Number(new URL(gateway.url).port), path: '/mcp', headers };
  await allDiscovered(endpoint, shape);
  const cpuPids = (): number[] => familyOf(gateway.pid).map(({ pid }) => pid);
  const last = serverName(shape, (shape.tools - 1) % shape.upstreams);
  const of = `${shape.tools} tools of ${shape.upstreams} upstream${shape.upstreams === 1 ? '' : 's'}`;
  const targets = ERAS.map(async (era): Promise<Target[]> => {
    const list = await toolListPlan(endpoint, `"${last}__tool_${shape.tools - 1}"`, era);
    const call = await toolCallPlan(endpoint, `${serverName(shape, 0)}__tool_0`, era);
    return [
      { name: `list, ${of} (${era})`, plan: list, cpuPids },
      { name: `call, ${of} (${era})`, plan: call, cpuPids },
    ];
  });
  return (await Promise.all(targets)).flat();
}

/** The ready line waits for one attempt at each server; with so many the last may come a moment later. */
async function allDiscovered({ port, path, headers }: McpEndpoint, shape: Shape): Promise<void> {
  const plan = await toolListPlan({ port, path, ...(headers && { headers }) }, '', 'modern');
  const deadline = Date.now() + DISCOVERY_MS;
  for (;;) {
    const body = plan.request.body.replace('SEQUENCE', '1');
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: plan.request.headers,
      body,
    });
    const found = (await response.text()).match(/"name":"t\d+-u\d+-\d+__tool_/g)?.length ?? 0;
    if (found === shape.tools) return;
    if (Date.now() > deadline) throw new Error(`${found} of ${shape.tools} tools were discovered`);
    await sleep(200);
  }
}

await main();
