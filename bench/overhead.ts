// What the gateway adds to a chat completion: a bare proxy on the same runtime, the gateway, and the upstream itself.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway, type GatewayProcess } from '../test/support/gateway-process.ts';
import { startBareProxy } from './bare-proxy.ts';
import { CHAT_ANSWER, chatRequest } from './chat-request.ts';
import { runtimeFlags } from './generated-config.ts';
import { LIMITED_OWNERS, limitedKey } from './limited-config.ts';
import {
  GATEWAY_CORE,
  LOAD_CORE,
  pinPrefix,
  startListening,
  startLoadProcess,
  stopProcess,
  workerdPids,
} from './pinned-process.ts';
import { benchOptions, printTable, writeResult } from './report.ts';
import { runRounds, summarize, type Summary, type Target } from './rounds.ts';

const VIRTUAL_KEY = 'vk-bench-overhead';
const LIMITED_KEY = 'vk-bench-limited';
const REFERENCE = 'bare proxy';

function gatewayConfig(upstreamPort: number): string {
  return `providers:
  - name: openai
    base_url: http://127.0.0.1:${upstreamPort}/v1
    keys: [{ name: main, value: sk-bench-upstream }]
${LIMITED_OWNERS}virtual_keys:
  - key_name: bench
    key: ${VIRTUAL_KEY}
    providers: [{ name: openai, models: ["*"] }]
${limitedKey(LIMITED_KEY, 'openai')}`;
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

  const plan = { request: chatRequest(VIRTUAL_KEY), expect: CHAT_ANSWER };
  const port = Number(new URL(gateway.url).port);
  const targets: Target[] = [
    { name: REFERENCE, plan: { ...plan, port: bare.port }, cpuPids: () => [bare.child.pid ?? 0] },
    { name: 'sallyport', plan: { ...plan, port }, cpuPids: () => workerdPids(gateway) },
    {
      name: 'sallyport, limits',
      plan: { ...plan, port, request: chatRequest(LIMITED_KEY) },
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
