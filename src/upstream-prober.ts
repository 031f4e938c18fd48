import { WorkerEntrypoint } from 'cloudflare:workers';
import type { ProbeRequest, ProbeResult, UpstreamProberRpc } from '../durable-objects/contracts.ts';
import { forgetAtBridge } from './egress/bridge.ts';
import { describeFault, log } from './lib/log.ts';
import type { Env } from './env.ts';
import { probeUpstream } from './mcp/upstream/probe.ts';
import { createServices } from './services.ts';

/** Probes on behalf of the health objects, which hold neither credentials nor a way to the network. */
export class UpstreamProber extends WorkerEntrypoint<Env> implements UpstreamProberRpc {
  async probe({ name, ...request }: ProbeRequest): Promise<ProbeResult> {
    const services = createServices(this.env, this.ctx);
    const { upstreams, settings } = await services.snapshot();
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
    return probeUpstream(dependencies, upstream, request);
  }
}
