import { WorkerEntrypoint } from 'cloudflare:workers';
import type { ProbeRequest, ProbeResult, UpstreamProberRpc } from '../durable-objects/contracts.ts';
import { forgetAtBridge } from './egress/bridge.ts';
import { describeFault, log } from './lib/log.ts';
import type { Env } from './env.ts';
import { probeUpstream } from './mcp/upstream/probe.ts';
import type { PolicySnapshot, Upstream } from './policy/snapshot.ts';
import { createServices, type Services } from './services.ts';
import { vetTools, type Scanned } from './trust/vetting.ts';

/** Of this isolate: spares reading again what was read a minute ago. */
const scanned: Scanned = new Map();

/** Probes on behalf of the health objects, which hold neither credentials nor a way to the network. */
export class UpstreamProber extends WorkerEntrypoint<Env> implements UpstreamProberRpc {
  async probe({ name, ...request }: ProbeRequest): Promise<ProbeResult> {
    const services = createServices(this.env, this.ctx);
    const snapshot = await services.snapshot();
    const { upstreams, settings } = snapshot;
    const upstream = upstreams.get(name);
    if (upstream === undefined) {
      await forgetAtBridge(this.env, name).catch((fault: unknown) => {
        log('warn', 'bridge.not_told', { upstream: name, fault: describeFault(fault) });
      });
      return { ok: false, gone: true };
    }
    const dependencies = {
      network: services.upstreamNetwork,
      maxResponseBytes: settings.limits.response_bytes,
      catalogLimits: {
        tools: settings.limits.tools_per_server,
        resources: settings.limits.resources_per_server,
        prompts: settings.limits.prompts_per_server,
      },
      now: services.now,
    };
    return vetted(services, snapshot, upstream, await probeUpstream(dependencies, upstream, request));
  }
}

/** Hashes and scans what was listed, under the configuration by which it was. */
async function vetted(
  services: Services,
  { upstreams }: PolicySnapshot,
  { name, trust = 'open', scan = 'report' }: Upstream,
  result: Exclude<ProbeResult, { gone: true }>,
): Promise<ProbeResult> {
  if (!result.ok || result.catalog === undefined) return result;
  const { tools } = result.catalog;
  const others = [...upstreams.values()].filter((other) => other.name !== name && other.disabled !== true);
  const names =
    scan === 'off' ? new Map() : await services.definitionRecords.toolNames(others.map((other) => other.name));
  return { ...result, vetting: await vetTools(tools, { trust, scan }, names, scanned) };
}
