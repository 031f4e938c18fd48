// What the gateway adds to a chat completion: a bare proxy on the same runtime, the gateway, and the upstream itself.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway, type GatewayProcess } from '../test/support/gateway-process.ts';
import { startBareProxy } from './bare-proxy.ts';
import { runtimeFlags } from './generated-config.ts';
import type { RequestTemplate } from './load-generator.ts';
import { GATEWAY_CORE, LOAD_CORE, pinPrefix, startListening, startLoadProcess, stopProcess } from './pinned-process.ts';
import { benchOptions, printTable, writeResult } from './report.ts';
import { runRounds, summarize, type Summary, type Target } from './rounds.ts';

const VIRTUAL_KEY = 'vk-bench-overhead';
const REFERENCE = 'bare proxy';

const request: RequestTemplate = {
  method: 'POST',
  path: '/v1/chat/completions',
  headers: {
    authorization: `Bearer ${VIRTUAL_KEY}`,
    'content-type': 'application/json',
    accept: 'application/json',
    'user-agent': 'sallyport-bench',
  },
  body: JSON.stringify({
    model: 'openai/gpt-4o-mini',
    messages: [
      { role: 'system', content: 'You answer in one sentence, plainly, and never mention that you are a model.' },
      { role: 'user', content: 'What is a sallyport? This is question SEQUENCE of a series, so be brief about it.' },
    ],
    temperature: 0.2,
    max_tokens: 64,
    user: 'bench',
  }),
};

function gatewayConfig(upstreamPort: number): string {
  return `providers:
  - name: openai
    base_url: http://127.0.0.1:${upstreamPort}/v1
    keys: [{ name: main, value: sk-bench-upstream }]
virtual_keys:
  - key_name: bench
    key: ${VIRTUAL_KEY}
    providers: [{ name: openai, models: ["*"] }]
`;
}

async function main(): Promise<void> {
  const options = benchOptions();
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  await using ends = new AsyncDisposableStack();
  ends.defer(() => rmSync(folder, { recursive: true, force: true }));
  const load = startLoadProcess();
  ends.defer(() => load.stop());
  const upstream = await startListening(LOAD_CORE, [new URL('chat-upstream.ts', import.meta.url).pathname]);
  ends.defer(() => stopProcess(upstream.child));
  const gateway = await startGateway({ config: gatewayConfig(upstream.port), prefix: pinPrefix(GATEWAY_CORE) });
  ends.defer(() => gateway.discard());
  ends.defer(async () => void (await gateway.stop()));
  const flags = runtimeFlags(gateway.dataFolder);
  const bare = await startBareProxy(folder, upstream.port, flags);
  ends.defer(() => stopProcess(bare.child));

  const plan = { request, expect: '"chat.completion"' };
  const targets: Target[] = [
    { name: REFERENCE, plan: { ...plan, port: bare.port }, cpuPids: () => [bare.child.pid ?? 0] },
    {
      name: 'sallyport',
      plan: { ...plan, port: Number(new URL(gateway.url).port) },
      cpuPids: () => workerdPids(gateway),
    },
    { name: 'upstream', plan: { ...plan, port: upstream.port }, cpuPids: () => [] },
  ];
  const summaries: Summary[] = [];
  for (const connections of options.connections) {
    const rounds = await runRounds(load, targets, { ...options, connections });
    summaries.push(...summarize(rounds, REFERENCE, connections));
  }
  await assertAudited(gateway);
  printTable(summaries, REFERENCE);
  console.log(writeResult('overhead', { options, flags, summaries }));
}

function workerdPids(gateway: GatewayProcess): number[] {
  const pid = gateway.workerd()?.pid;
  if (pid === undefined) throw new Error('the gateway has no workerd');
  return [pid];
}

/** A gateway that records nothing would be the faster one; this one must have. */
async function assertAudited(gateway: GatewayProcess): Promise<void> {
  const page = (await gateway.admin('/api/audit-events?kind=llm.call&limit=1')) as {
    items: { outcome: string; input_tokens?: number }[];
  };
  const [event] = page.items;
  if (event?.outcome !== 'ok' || event.input_tokens === undefined) {
    throw new Error(`the load left no audited call behind: ${JSON.stringify(page)}`);
  }
}

await main();
