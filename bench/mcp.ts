// What the gateway adds to a `tools/call`: the upstream itself, the gateway before it (over HTTP and over stdio), and
// two proxies from npm before the same stdio server.
import { startGateway, type GatewayProcess } from '../test/support/gateway-process.ts';
import { familyOf } from '../test/support/process-table.ts';
import { installPeers, peerTitle, startPeer, type PeerProcess } from './peer-proxies.ts';
import {
  GATEWAY_CORE,
  LOAD_CORE,
  pin,
  pinPrefix,
  startListening,
  startLoadProcess,
  stopProcess,
} from './pinned-process.ts';
import { benchOptions, printTable, writeResult } from './report.ts';
import { runRounds, summarize, type Summary, type Target } from './rounds.ts';
import { toolCallPlan, type Era, type McpEndpoint } from './mcp-request.ts';

const UPSTREAM = new URL('mcp-upstream.ts', import.meta.url).pathname;
const STDIO_UPSTREAM = [process.execPath, UPSTREAM, 'stdio'];
const VIRTUAL_KEY = 'vk-bench-mcp';
const REFERENCE = 'upstream, HTTP (legacy)';
const ERAS: readonly Era[] = ['legacy', 'modern'];

function gatewayConfig(upstreamPort: number): string {
  return `mcp:
  servers:
    - name: over-http
      type: http
      url: http://127.0.0.1:${upstreamPort}/mcp
    - name: over-stdio
      type: stdio
      command: ${JSON.stringify(STDIO_UPSTREAM)}
virtual_keys:
  - key_name: bench
    key: ${VIRTUAL_KEY}
    mcp_clients:
      - { name: over-http, allowed_tools: ["*"] }
      - { name: over-stdio, allowed_tools: ["*"] }
`;
}

async function targetsOf(
  name: string,
  endpoint: McpEndpoint,
  tool: string,
  eras: readonly Era[],
  cpuPids: () => readonly number[],
): Promise<Target[]> {
  return Promise.all(
    eras.map(async (era) => ({ name: `${name} (${era})`, plan: await toolCallPlan(endpoint, tool, era), cpuPids })),
  );
}

/** The processes that stand between the load and the stdio server. */
function proxyPids(root: number): number[] {
  return familyOf(root)
    .filter(({ command }) => !command.includes(UPSTREAM))
    .map(({ pid }) => pid);
}

function moveStdioServersAway(roots: readonly number[]): void {
  const servers = roots.flatMap(familyOf).filter(({ command }) => command.includes(UPSTREAM));
  pin(
    LOAD_CORE,
    servers.map(({ pid }) => pid),
  );
}

async function main(): Promise<void> {
  const options = benchOptions();
  installPeers();
  await using ends = new AsyncDisposableStack();
  const load = startLoadProcess();
  ends.defer(() => load.stop());
  const upstream = await startListening(LOAD_CORE, [UPSTREAM, 'http']);
  ends.defer(() => stopProcess(upstream.child));
  const gateway = await startGateway({ config: gatewayConfig(upstream.port), prefix: pinPrefix(GATEWAY_CORE) });
  ends.defer(() => gateway.discard());
  ends.defer(async () => void (await gateway.stop()));
  const peers: PeerProcess[] = [];
  for (const name of ['supergateway', 'mcp-proxy'] as const) {
    const peer = await startPeer(name, STDIO_UPSTREAM);
    ends.defer(() => stopProcess(peer.child));
    peers.push(peer);
  }

  const targets = [...(await gatewayTargets(upstream.port, gateway)), ...(await peerTargets(peers))];
  // Used once, every stdio server runs and can be told from what stands before it.
  await runRounds(load, targets, { connections: 1, rounds: 1, seconds: 0.2, warmUpSeconds: 0 });
  moveStdioServersAway([gateway.pid, ...peers.map(({ child }) => child.pid ?? 0)]);
  const summaries: Summary[] = [];
  for (const connections of options.connections) {
    summaries.push(...summarize(await runRounds(load, targets, { ...options, connections }), REFERENCE, connections));
  }
  printTable(summaries, REFERENCE);
  console.log(writeResult('mcp', { options, summaries }));
}

async function gatewayTargets(upstreamPort: number, gateway: GatewayProcess): Promise<Target[]> {
  const direct = { port: upstreamPort, path: '/mcp' };
  const headers = { authorization: `Bearer ${VIRTUAL_KEY}` };
  const door = { port: Number(new URL(gateway.url).port), path: '/mcp', headers };
  const pids = (): number[] => proxyPids(gateway.pid);
  return [
    ...(await targetsOf('upstream, HTTP', direct, 'echo', ERAS, () => [])),
    ...(await targetsOf('sallyport, HTTP', door, 'over-http__echo', ERAS, pids)),
    ...(await targetsOf('sallyport, stdio', door, 'over-stdio__echo', ERAS, pids)),
  ];
}

async function peerTargets(peers: readonly PeerProcess[]): Promise<Target[]> {
  const targets: Target[] = [];
  for (const { name, port, child } of peers) {
    // supergateway knows no 2026-07-28.
    const eras = name === 'supergateway' ? (['legacy'] as const) : ERAS;
    const endpoint = { port, path: '/mcp' };
    targets.push(...(await targetsOf(`${peerTitle(name)}, stdio`, endpoint, 'echo', eras, () => [child.pid ?? 0])));
  }
  return targets;
}

await main();
