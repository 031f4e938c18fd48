// The composition root: the only file that constructs adapters and joins ports to them.
import type { AuditReader } from './audit/query.ts';
import type { Recorder } from './audit/recorder.ts';
import type { SpendReader } from './audit/spend-query.ts';
import type { Admission } from './budget/admission.ts';
import { createSessionIds, type SessionIds } from './auth/session-id.ts';
import { hashVirtualKey } from './auth/virtual-key.ts';
import { openKeyring, type Keyring } from './config/keyring.ts';
import type { SettingsDocument } from './config/document.ts';
import type { ConfigStore } from './config/ports.ts';
import { ConfigurationUnavailable } from './config/stored.ts';
import { createUpstreamNetwork } from './egress/upstream-network.ts';
import { createWebhook, type PostWebhook } from './egress/webhook.ts';
import type { Env } from './env.ts';
import type { Face } from './mcp/links.ts';
import { PRODUCT } from './lib/product.ts';
import type { HealthRecords } from './health/report.ts';
import type { DefinitionRecords } from './trust/ports.ts';
import type { UpstreamNetwork, UpstreamViews } from './mcp/ports.ts';
import { createToolInvoker, type ToolInvoker } from './mcp/tool-call.ts';
import type { PrincipalSessions } from './mcp/upstream/principal-port.ts';
import type { LinkLimits } from './mcp/upstream/session-links.ts';
import { createStatelessLinks, type StatelessLinks } from './mcp/upstream/stateless-links.ts';
import { createRequestStates } from './mcp/protocol/request-states.ts';
import type { RequestStates } from './mcp/client-request.ts';
import type { PolicySnapshot } from './policy/snapshot.ts';
import { createAuditReader } from './stores/d1/audit-events.ts';
import { createConfigStore } from './stores/d1/config-store.ts';
import { createPolicyStore } from './stores/d1/policy-store.ts';
import { createSpendReader } from './stores/d1/spend-reader.ts';
import { createClientSessions, type ClientSessions } from './stores/objects/client-sessions.ts';
import { createDefinitionRecords } from './stores/objects/definition-records.ts';
import { createLimitReader, type LimitReader } from './stores/objects/limit-standings.ts';
import { createPrincipalSessions } from './stores/objects/principal-session.ts';
import { createHealthRecords } from './stores/objects/upstream-health.ts';
import { createUpstreamViews } from './stores/objects/upstream-views.ts';
import { createAdmission } from './stores/objects/ledger-admission.ts';
import { createRecorder } from './stores/objects/audit-recorder.ts';
import { comeToRest } from './stores/objects/rest.ts';

/** What the routes are given, made per request: I/O objects of workerd belong to the request that made them. */
export interface Services {
  readonly now: () => number;
  /** Keeps work going after the response. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
  /** The configuration, at most a second old. @throws when it cannot be read: fail closed. */
  readonly snapshot: () => Promise<PolicySnapshot>;
  /** The keyed hash under which the snapshot knows a virtual key. */
  readonly hashVirtualKey: (key: string) => Promise<string>;
  readonly configStore: ConfigStore;
  readonly recorder: Recorder;
  readonly admission: Admission;
  /** Hands on what waits to be recorded and gives back what is leased, before the gateway ends; within seconds. */
  readonly comeToRest: () => Promise<boolean>;
  readonly auditReader: AuditReader;
  readonly spendReader: SpendReader;
  readonly limitReader: LimitReader;
  readonly upstreamViews: UpstreamViews;
  readonly healthRecords: HealthRecords;
  readonly definitionRecords: DefinitionRecords;
  readonly upstreamNetwork: UpstreamNetwork;
  /** Tells the operator's webhook, as configured now. */
  readonly postWebhook: PostWebhook;
  readonly sessionIds: SessionIds;
  /** Of clients of the legacy eras. */
  readonly clientSessions: ClientSessions;
  readonly principalSessions: PrincipalSessions;
  /** Of what upstreams answer, as configured now. */
  readonly linkLimits: () => Promise<LinkLimits>;
  /** The upstreams of one client without a session. @param principal key id */
  readonly linksOf: (principal: string, face: Face) => StatelessLinks;
  readonly requestStates: RequestStates;
  /** Calls tools for callers that are no MCP clients, and so cannot be asked anything in the midst of a call. @param principal key id */
  readonly toolInvoker: (principal: string) => ToolInvoker;
}

export function createServices(env: Env, context: Pick<ExecutionContext, 'waitUntil'>): Services {
  const waitUntil = (promise: Promise<unknown>): void => context.waitUntil(promise);
  const keyring = (): Promise<Keyring> => requireKeyring(env);

  const recorder = createRecorder(env, waitUntil);
  const snapshot = createPolicyStore({ db: env.DB, keyring, now, waitUntil });
  const services: Services = {
    now,
    waitUntil,
    snapshot,
    hashVirtualKey: async (key) => hashVirtualKey((await keyring()).virtualKeys, key),
    configStore: createConfigStore({ db: env.DB, keyring, now }),
    recorder,
    admission: createAdmission({ env, waitUntil, settled: recorder.settled }),
    comeToRest: () => comeToRest(env),
    auditReader: createAuditReader(env.DB),
    spendReader: createSpendReader(env.DB),
    limitReader: createLimitReader(env),
    upstreamViews: createUpstreamViews(env, { snapshot, now, waitUntil }),
    healthRecords: createHealthRecords(env),
    definitionRecords: createDefinitionRecords(env, now),
    upstreamNetwork: createUpstreamNetwork(env),
    postWebhook: createWebhook(env, { settings: async () => (await snapshot()).settings.alerts?.webhook, now }),
    sessionIds: createSessionIds(async () => (await keyring()).sessionIds),
    clientSessions: createClientSessions(env),
    principalSessions: createPrincipalSessions(env),
    linkLimits: async () => linkLimits((await snapshot()).settings),
    linksOf: (principal, face) => linksOf(services, principal, face),
    requestStates: createRequestStates({ key: async () => (await keyring()).requestStates, now }),
    toolInvoker: (principal) => createToolInvoker({ ...services, links: linksOf(services, principal, NOBODY) }),
  };
  return services;
}

function linkLimits({ limits }: SettingsDocument): LinkLimits {
  return {
    maxResponseBytes: limits.response_bytes,
    catalog: {
      tools: limits.tools_per_server,
      resources: limits.resources_per_server,
      prompts: limits.prompts_per_server,
    },
  };
}

function linksOf(services: Services, principal: string, face: Face): StatelessLinks {
  return createStatelessLinks({
    network: services.upstreamNetwork,
    views: services.upstreamViews,
    principalSessions: services.principalSessions,
    principal,
    face,
    limits: services.linkLimits,
    waitUntil: services.waitUntil,
    now: services.now,
  });
}

/** As upstreams see callers that are no clients: none of them can be asked anything. */
const NOBODY: Face = { info: PRODUCT, capabilities: {} };

const now = (): number => Date.now();

/** @throws ConfigurationUnavailable when the master key is missing or malformed */
async function requireKeyring(env: Env): Promise<Keyring> {
  const opened = await openKeyring(env.SALLYPORT_MASTER_KEY);
  if (!opened.ok) throw new ConfigurationUnavailable(opened.error);
  return opened.value;
}
