// Compiles the configured objects into what a request is decided by. Pure.
import { payerOf, type Principal } from '../auth/principal.ts';
import type { Limit } from '../budget/limits.ts';
import { unitePatterns } from '../policy/patterns.ts';
import type {
  KeyLimits,
  McpGrants,
  NamePatterns,
  PolicySnapshot,
  Provider,
  ToolGroup,
  Upstream,
  VirtualKey,
} from '../policy/snapshot.ts';
import { compileLimits, type LimitOwner, type WrittenLimits } from './compiled-limits.ts';
import { settingsDocument, type ToolGroupDocument, type VirtualKeyDocument } from './document.ts';
import type { ConfigObject, ObjectKind } from './objects.ts';
import type { StoredObject } from './stored.ts';

export function compileSnapshot(revision: number, objects: readonly StoredObject[]): PolicySnapshot {
  const of = <K extends ObjectKind>(kind: K) =>
    objects.filter((object): object is Extract<StoredObject, { kind: K }> => object.kind === kind);

  const toolGroups = new Map<string, ToolGroup>(
    of('tool_group').map(({ name, document }) => [name, compileGroup(document)]),
  );
  const owners: Owners = {
    customers: new Map(of('customer').map(({ name, document }) => [name, document])),
    teams: new Map(of('team').map(({ name, document }) => [name, document])),
  };
  const virtualKeys = new Map<string, VirtualKey>();
  for (const { id, key, document } of of('virtual_key'))
    if (key !== undefined) virtualKeys.set(key.hash, compileKey(id, document, toolGroups, owners));

  return {
    revision,
    virtualKeys,
    upstreams: new Map<string, Upstream>(
      of('server').map(({ name, fingerprint, document }) => [
        name,
        { ...document, fingerprint, ...serverLimits(name, document) },
      ]),
    ),
    toolGroups,
    providers: new Map<string, Provider>(
      of('provider').map(({ name, document }) => [name, { ...document, type: document.type ?? name }]),
    ),
    settings: of('settings')[0]?.document ?? settingsDocument.parse({}),
  };
}

type DocumentOf<K extends ObjectKind> = Extract<ConfigObject, { kind: K }>['document'];

/** Who pays for keys, by name. */
interface Owners {
  readonly customers: ReadonlyMap<string, DocumentOf<'customer'>>;
  readonly teams: ReadonlyMap<string, DocumentOf<'team'>>;
}

function compileKey(
  id: string,
  document: VirtualKeyDocument,
  toolGroups: ReadonlyMap<string, ToolGroup>,
  owners: Owners,
): VirtualKey {
  const { team, expires_at: expiresAt } = document;
  // A team's own customer, whatever the key says: what a team spends is kept in one ledger.
  const customer = team === undefined ? document.customer : owners.teams.get(team)?.customer;
  const principal: Principal = {
    kind: 'virtual_key',
    keyId: id,
    keyName: document.key_name,
    ...(team === undefined ? {} : { team }),
    ...(customer === undefined ? {} : { customer }),
    payer: payerOf({ keyId: id, team, customer }),
  };
  return {
    principal,
    ...(expiresAt === undefined ? {} : { expiresAt: Date.parse(expiresAt) }),
    disabled: document.disabled ?? false,
    mode: document.mode ?? 'direct',
    ...(document.inject_tools === true && { injectTools: true }),
    ...compileGrants(document, toolGroups),
    toolGroups: document.tool_groups.filter((group) => toolGroups.has(group)),
    providers: new Map(document.providers.map(({ name, models, weight }) => [name, { models, weight }])),
    ...keyLimits(principal, document, owners),
  };
}

function keyLimits(
  { keyId, keyName, team = '', customer = '' }: Principal,
  document: VirtualKeyDocument,
  { customers, teams }: Owners,
): { limits?: KeyLimits } {
  const own = [
    ...compileLimits(named('customer', customer), customers.get(customer) ?? {}),
    ...compileLimits(named('team', team), teams.get(team) ?? {}),
    ...compileLimits({ tier: 'virtual_key', parts: [keyId], name: keyName, spendName: keyId }, document),
  ];
  const providers = byName(document.providers, (name) => ({
    tier: 'provider_config',
    parts: [keyId, name],
    name: `${keyName}/${name}`,
    spendName: `${keyId}/${name}`,
  }));
  const mcpClients = byName(document.mcp_clients, (name) => ({
    tier: 'mcp_client',
    parts: [keyId, name],
    name: `${keyName}/${name}`,
  }));
  if (own.length === 0 && providers.size === 0 && mcpClients.size === 0) return {};
  return { limits: { own, providers, mcpClients } };
}

function serverLimits(name: string, document: WrittenLimits): { limits?: readonly Limit[] } {
  const limits = compileLimits({ tier: 'server', parts: [name], name }, document);
  return limits.length === 0 ? {} : { limits };
}

function named(tier: 'customer' | 'team', name: string): LimitOwner {
  return { tier, parts: [name], name, spendName: name };
}

function byName(
  entries: readonly (WrittenLimits & { readonly name: string })[],
  ownerOf: (name: string) => LimitOwner,
): ReadonlyMap<string, readonly Limit[]> {
  const compiled = new Map<string, readonly Limit[]>();
  for (const entry of entries) {
    const limits = compileLimits(ownerOf(entry.name), entry);
    if (limits.length > 0) compiled.set(entry.name, limits);
  }
  return compiled;
}

/** What the key's own list and its tool groups allow, united. */
function compileGrants(document: VirtualKeyDocument, toolGroups: ReadonlyMap<string, ToolGroup>): McpGrants {
  const united = { tools: new Map(), resources: new Map(), prompts: new Map() };
  for (const { name, allowed_tools: tools, allowed_resources, allowed_prompts } of document.mcp_clients) {
    grant(united.tools, name, tools);
    grant(united.resources, name, allowed_resources ?? defaultFor(tools));
    grant(united.prompts, name, allowed_prompts ?? defaultFor(tools));
  }
  for (const group of document.tool_groups.map((name) => toolGroups.get(name))) {
    for (const kind of ['tools', 'resources', 'prompts'] as const)
      for (const [upstream, patterns] of group?.[kind] ?? []) grant(united[kind], upstream, patterns);
  }
  return united;
}

function compileGroup({ tools, resources = {}, prompts = {} }: ToolGroupDocument): ToolGroup {
  const group = { tools: new Map(), resources: new Map(), prompts: new Map() };
  for (const upstream of new Set([tools, resources, prompts].flatMap(Object.keys))) {
    const granted = tools[upstream] ?? [];
    grant(group.tools, upstream, granted);
    grant(group.resources, upstream, resources[upstream] ?? defaultFor(granted));
    grant(group.prompts, upstream, prompts[upstream] ?? defaultFor(granted));
  }
  return group;
}

function grant(granted: Map<string, NamePatterns>, upstream: string, patterns: NamePatterns): void {
  granted.set(upstream, unitePatterns(granted.get(upstream) ?? [], patterns));
}

/** Of resources and prompts, where the configuration does not speak of them. */
function defaultFor(tools: NamePatterns): NamePatterns {
  return tools.includes('*') ? ['*'] : [];
}
