// The configured objects, one by one: what a row of the database, a path of the admin API and an entry of the file have
// in common.
import type { z } from 'zod';
import {
  customerDocument,
  providerDocument,
  settingsDocument,
  teamDocument,
  toolGroupDocument,
  upstreamDocument,
  virtualKeyDocument,
  type GatewayDocument,
} from './document.ts';

export const OBJECT_SCHEMAS = {
  server: upstreamDocument,
  tool_group: toolGroupDocument,
  provider: providerDocument,
  customer: customerDocument,
  team: teamDocument,
  virtual_key: virtualKeyDocument,
  settings: settingsDocument,
} as const;

export type ObjectKind = keyof typeof OBJECT_SCHEMAS;
type ObjectDocument<K extends ObjectKind = ObjectKind> = z.output<(typeof OBJECT_SCHEMAS)[K]>;

/** The one row of settings. */
export const SETTINGS_NAME = 'settings';

/** A definition with its secrets in clear. A virtual key's own `key` is not part of it once it is stored. */
export type ConfigObject = {
  [K in ObjectKind]: { readonly kind: K; readonly name: string; readonly document: ObjectDocument<K> };
}[ObjectKind];

/** `kind/name`, which is unique. */
export function objectKey(object: { readonly kind: string; readonly name: string }): string {
  return `${object.kind}/${object.name}`;
}

/** A whole document as its objects, in the document's order. */
export function objectsOf(gateway: GatewayDocument): ConfigObject[] {
  const { audit, limits, health, alerts, mcp } = gateway;
  return [
    {
      kind: 'settings',
      name: SETTINGS_NAME,
      document: {
        audit,
        limits,
        health,
        ...(alerts !== undefined && { alerts }),
        code_mode: mcp.code_mode,
        sessions: mcp.sessions,
      },
    },
    ...mcp.servers.map((document) => ({ kind: 'server', name: document.name, document }) as const),
    ...mcp.tool_groups.map((document) => ({ kind: 'tool_group', name: document.name, document }) as const),
    ...gateway.providers.map((document) => ({ kind: 'provider', name: document.name, document }) as const),
    ...gateway.customers.map((document) => ({ kind: 'customer', name: document.name, document }) as const),
    ...gateway.teams.map((document) => ({ kind: 'team', name: document.name, document }) as const),
    ...gateway.virtual_keys.map((document) => ({ kind: 'virtual_key', name: document.key_name, document }) as const),
  ];
}

/** The reverse, in the raw shape that `referenceProblems` reads. */
export function rawGateway(objects: readonly { readonly kind: string; readonly document: unknown }[]): unknown {
  const of = (kind: ObjectKind) => objects.filter((object) => object.kind === kind).map(({ document }) => document);
  return {
    mcp: { servers: of('server'), tool_groups: of('tool_group') },
    providers: of('provider'),
    customers: of('customer'),
    teams: of('team'),
    virtual_keys: of('virtual_key'),
  };
}
