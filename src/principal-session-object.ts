import { PrincipalSession as SessionObject } from '../durable-objects/principal-session.ts';
import { PrincipalEngine } from './mcp/upstream/principal-engine.ts';
import type { SessionStore } from './mcp/upstream/session-store.ts';
import { createServices } from './services.ts';

/** The sessions of clients of 2026-07-28 at legacy servers, with the engine that speaks to those. */
export class PrincipalSession extends SessionObject {
  protected override async start(store: SessionStore): Promise<PrincipalEngine> {
    // What was made for one request of an object serves all of them.
    const { snapshot, upstreamNetwork: network, waitUntil, now } = createServices(this.env, this.ctx);
    const { limits } = (await snapshot()).settings;
    return new PrincipalEngine({
      network,
      store,
      maxResponseBytes: limits.response_bytes,
      catalogLimits: {
        tools: limits.tools_per_server,
        resources: limits.resources_per_server,
        prompts: limits.prompts_per_server,
      },
      upstreams: async () => (await snapshot()).upstreams,
      waitUntil,
      now,
    });
  }
}
