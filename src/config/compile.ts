// Compiles the configured objects into what a request is decided by. Pure.
import { payerOf, type Principal } from '../auth/principal.ts';
import { unitePatterns } from '../policy/patterns.ts';
import type { NamePatterns, PolicySnapshot, Provider, ToolGroup, Upstream, VirtualKey } from '../policy/snapshot.ts';
import { settingsDocument, type VirtualKeyDocument } from './document.ts';
import type { ObjectKind } from './objects.ts';
import type { StoredObject } from './stored.ts';

export function compileSnapshot(revision: number, objects: readonly StoredObject[]): PolicySnapshot {
  const of = <K extends ObjectKind>(kind: K) =>
    objects.filter((object): object is Extract<StoredObject, { kind: K }> => object.kind === kind);

  const toolGroups = new Map<string, ToolGroup>(
    of('tool_group').map(({ name, document }) => [name, new Map(Object.entries(document.tools))]),
  );
  const customerOfTeam = new Map(of('team').map(({ name, document }) => [name, document.customer]));
  const virtualKeys = new Map<string, VirtualKey>();
  for (const { id, key, document } of of('virtual_key'))
    if (key !== undefined) virtualKeys.set(key.hash, compileKey(id, document, toolGroups, customerOfTeam));

  return {
    revision,
    virtualKeys,
    upstreams: new Map<string, Upstream>(
      of('server').map(({ name, fingerprint, document }) => [name, { ...document, fingerprint }]),
    ),
    toolGroups,
    providers: new Map<string, Provider>(
      of('provider').map(({ name, document }) => [name, { ...document, type: document.type ?? name }]),
    ),
    settings: of('settings')[0]?.document ?? settingsDocument.parse({}),
  };
}

function compileKey(
  id: string,
  document: VirtualKeyDocument,
  toolGroups: ReadonlyMap<string, ToolGroup>,
  customerOfTeam: ReadonlyMap<string, string | undefined>,
): VirtualKey {
  const { team, expires_at: expiresAt } = document;
  const customer = document.customer ?? (team === undefined ? undefined : customerOfTeam.get(team));
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
    tools: grantedTools(document, toolGroups),
    toolGroups: document.tool_groups.filter((group) => toolGroups.has(group)),
    providers: new Map(document.providers.map(({ name, models, weight }) => [name, { models, weight }])),
  };
}

/** What the key's own list and its tool groups allow, united. */
function grantedTools(
  document: VirtualKeyDocument,
  toolGroups: ReadonlyMap<string, ToolGroup>,
): ReadonlyMap<string, NamePatterns> {
  const granted = new Map<string, NamePatterns>();
  const grant = (upstream: string, patterns: NamePatterns) =>
    granted.set(upstream, unitePatterns(granted.get(upstream) ?? [], patterns));
  for (const { name, allowed_tools: patterns } of document.mcp_clients) grant(name, patterns);
  for (const group of document.tool_groups)
    for (const [upstream, patterns] of toolGroups.get(group) ?? []) grant(upstream, patterns);
  return granted;
}
