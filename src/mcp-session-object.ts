import { McpSession as SessionObject } from '../durable-objects/mcp-session.ts';
import type { SessionRecord } from '../durable-objects/session-record.ts';
import { ClientSession } from './mcp/session/client-session.ts';
import type { SessionParts, SessionState } from './mcp/session/ports.ts';
import { decideStanding } from './policy/authorize.ts';
import { keyById } from './policy/key-by-id.ts';
import { narrowScope } from './mcp/narrowing.ts';
import { scopeOf, type Scope } from './mcp/scope.ts';
import { serveRequest } from './mcp/serve.ts';
import { createToolInvoker } from './mcp/tool-call.ts';
import { createSessionLinks, type SessionLinks } from './mcp/upstream/session-links.ts';
import type { PolicySnapshot } from './policy/snapshot.ts';
import { createServices, type Services } from './services.ts';

/** A client narrows in the same way each time, or in a few. */
const MOST_NARROWINGS = 16;

/** The sessions of legacy clients, with the engine that serves them. */
export class McpSession extends SessionObject {
  protected override revive(record: SessionRecord): ClientSession {
    // What was made for one request of an object serves all of them.
    const services = createServices(this.env, this.ctx);
    return new ClientSession({
      store: record,
      now: services.now,
      waitUntil: services.waitUntil,
      standing: standings(services),
      recorder: services.recorder,
      admission: services.admission,
      upstreams: (state) => {
        const links = linksOf(services, record, state);
        return { links, toolInvoker: createToolInvoker({ ...services, upstreamViews: links.views, links }) };
      },
      serve: serveRequest,
    });
  }
}

/** While nothing changes the same narrowing has the same scope, so that who watches for changes need not look into it. */
function standings({ snapshot, now }: Services): SessionParts['standing'] {
  let judged: { readonly by: PolicySnapshot; readonly scopes: Map<string, Scope | undefined> } | undefined;
  return async ({ keyId, endpoint }, narrowing) => {
    const current = await snapshot();
    const virtualKey = keyById(current, keyId);
    if (virtualKey === undefined || !decideStanding(virtualKey, now()).allow) return undefined;
    if (judged?.by !== current || judged.scopes.size > MOST_NARROWINGS) judged = { by: current, scopes: new Map() };
    const key = JSON.stringify(narrowing);
    let scope = judged.scopes.get(key);
    if (scope === undefined) {
      const whole = scopeOf(current, virtualKey, endpoint);
      scope = whole && narrowScope(whole, narrowing);
      judged.scopes.set(key, scope);
    }
    return scope && { virtualKey, scope, settings: current.settings };
  };
}

function linksOf(services: Services, record: SessionRecord, state: SessionState): SessionLinks {
  const { snapshot } = services;
  return createSessionLinks({
    network: services.upstreamNetwork,
    views: services.upstreamViews,
    store: record.upstreamSessions,
    face: state.face,
    protocolVersion: state.protocolVersion,
    limits: services.linkLimits,
    waitUntil: services.waitUntil,
    now: services.now,
    upstreams: async () => (await snapshot()).upstreams.values(),
    shared: services.linksOf(state.keyId, { capabilities: {} }),
  });
}
