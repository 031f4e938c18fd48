import { PrincipalSession as SessionObject } from '../durable-objects/principal-session.ts';
import { PrincipalEngine } from './mcp/upstream/principal-engine.ts';
import type { SessionStore } from './mcp/upstream/session-store.ts';
import { createServices } from './services.ts';

/** The sessions of clients of 2026-07-28 at legacy servers, with the engine that speaks to those. */
export class PrincipalSession extends SessionObject {
  protected override async start(store: SessionStore): Promise<PrincipalEngine> {
    // What was made for one request of an object serves all of them.
    const { snapshot, linkLimits, upstreamNetwork: network, waitUntil, now } = createServices(this.env, this.ctx);
    const { maxResponseBytes, catalog } = await linkLimits();
    return new PrincipalEngine({
      network,
      store,
      maxResponseBytes,
      catalogLimits: catalog,
      upstreams: async () => (await snapshot()).upstreams,
      waitUntil,
      now,
    });
  }
}
