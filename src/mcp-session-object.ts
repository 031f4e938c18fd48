import type { SessionHolder } from './auth/session-id.ts';
import { McpSession as SessionObject } from '../durable-objects/mcp-session.ts';
import type { SessionRecord } from '../durable-objects/session-record.ts';
import { ClientSession } from './mcp/session/client-session.ts';
import type { SessionState, Standing } from './mcp/session/ports.ts';
import { decideStanding } from './policy/authorize.ts';
import { keyById } from './policy/key-by-id.ts';
import { narrowScope, type Narrowing } from './mcp/narrowing.ts';
import { scopeOf } from './mcp/scope.ts';
import { serveRequest } from './mcp/serve.ts';
import { createToolInvoker } from './mcp/tool-call.ts';
import { createSessionLinks, type SessionLinks } from './mcp/upstream/session-links.ts';
import { createServices, type Services } from './services.ts';

/** The sessions of legacy clients, with the engine that serves them. */
export class McpSession extends SessionObject {
  protected override revive(record: SessionRecord): ClientSession {
    // What was made for one request of an object serves all of them.
    const services = createServices(this.env, this.ctx);
    return new ClientSession({
      store: record,
      now: services.now,
      waitUntil: services.waitUntil,
      standing: (holder, narrowing) => standingOf(services, holder, narrowing),
      recorder: services.recorder,
      upstreams: (state) => {
        const links = linksOf(services, record, state);
        return { links, toolInvoker: createToolInvoker({ ...services, upstreamViews: links.views, links }) };
      },
      serve: serveRequest,
    });
  }
}

async function standingOf(
  { snapshot, now }: Services,
  { keyId, endpoint }: SessionHolder,
  narrowing: Narrowing,
): Promise<Standing | undefined> {
  const current = await snapshot();
  const virtualKey = keyById(current, keyId);
  if (virtualKey === undefined || !decideStanding(virtualKey, now()).allow) return undefined;
  const scope = scopeOf(current, virtualKey, endpoint);
  return scope && { virtualKey, scope: narrowScope(scope, narrowing), settings: current.settings };
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
