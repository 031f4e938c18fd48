// Names that must be unique, and names that must lead somewhere. Reads the raw document, so that a reference is checked
// although some other field does not parse.
import { nearest } from '../lib/nearest.ts';
import { PROVIDER_TYPE_NAMES } from './provider-type-names.ts';
import type { ConfigPath, ConfigProblem } from './check.ts';

interface Entry {
  readonly path: ConfigPath;
  readonly fields: Readonly<Record<string, unknown>>;
}

interface Names {
  readonly servers: ReadonlySet<string>;
  readonly toolGroups: ReadonlySet<string>;
  readonly providers: ReadonlySet<string>;
  readonly customers: ReadonlySet<string>;
  readonly teams: ReadonlySet<string>;
}

/** @param input a configuration as data, of whatever shape */
export function referenceProblems(input: unknown): ConfigProblem[] {
  const document = fieldsOf(input);
  const mcp = fieldsOf(document['mcp']);
  const servers = entries(mcp['servers'], ['mcp', 'servers']);
  const toolGroups = entries(mcp['tool_groups'], ['mcp', 'tool_groups']);
  const providers = entries(document['providers'], ['providers']);
  const customers = entries(document['customers'], ['customers']);
  const teams = entries(document['teams'], ['teams']);
  const keys = entries(document['virtual_keys'], ['virtual_keys']);
  const names: Names = {
    servers: namesOf(servers),
    toolGroups: namesOf(toolGroups),
    providers: namesOf(providers),
    customers: namesOf(customers),
    teams: namesOf(teams),
  };
  return [
    ...duplicates(servers, 'name', 'server'),
    ...duplicates(toolGroups, 'name', 'tool group'),
    ...sharedNames(toolGroups, names.servers),
    ...toolGroups.flatMap((group) => groupReferences(group, names)),
    ...duplicates(providers, 'name', 'provider'),
    ...providers.flatMap(addressOf),
    ...duplicates(customers, 'name', 'customer'),
    ...duplicates(teams, 'name', 'team'),
    ...teams.flatMap((team) =>
      reference([...team.path, 'customer'], team.fields['customer'], 'customer', names.customers),
    ),
    ...duplicates(keys, 'key_name', 'virtual key'),
    ...sharedKeys(keys),
    ...keys.flatMap((key) => keyReferences(key, names)),
    ...dividedTeams(teams, keys),
  ];
}

/** @param input a configuration as data, of whatever shape */
export function payerProblems(input: unknown): ConfigProblem[] {
  const document = fieldsOf(input);
  return dividedTeams(entries(document['teams'], ['teams']), entries(document['virtual_keys'], ['virtual_keys']));
}

/** What a team spends is kept in the ledger of its customer. A key with another would take the team's limits twice. */
function dividedTeams(teams: readonly Entry[], keys: readonly Entry[]): ConfigProblem[] {
  const customers = new Map(teams.map(({ fields }) => [fields['name'], fields['customer']]));
  return keys.flatMap(({ path, fields: { team, customer } }) => {
    if (typeof team !== 'string' || typeof customer !== 'string' || !customers.has(team)) return [];
    const own = customers.get(team);
    if (own === customer) return [];
    const at = [...path, 'customer'];
    if (typeof own === 'string') {
      const message = `"${customer}" is not the customer of the team "${team}", which is "${own}"`;
      return [{ path: at, message, fix: 'remove it: a key is paid for by the customer of its team' }];
    }
    const message = `the team "${team}" has no customer, and what it spends cannot be kept with that of "${customer}"`;
    return [{ path: at, message, fix: `set customer: ${customer} at the team` }];
  });
}

/** A provider of a kind nobody here knows has to say where it is. */
function addressOf({ path, fields }: Entry): ConfigProblem[] {
  const type = fields['type'] ?? fields['name'];
  if (typeof type !== 'string' || 'base_url' in fields || PROVIDER_TYPE_NAMES.some((known) => known === type))
    return [];
  const meant = nearest(type, PROVIDER_TYPE_NAMES);
  const instead = meant === undefined ? `one of ${PROVIDER_TYPE_NAMES.join(', ')}` : `"${meant}"`;
  return [
    {
      path: [...path, 'type' in fields ? 'type' : 'name'],
      message: `"${type}" is not a type of provider whose address is known`,
      fix: `add a base_url, or set the type to ${instead}`,
    },
  ];
}

function keyReferences({ path, fields }: Entry, names: Names): ConfigProblem[] {
  const clients = entries(fields['mcp_clients'], [...path, 'mcp_clients']);
  const providers = entries(fields['providers'], [...path, 'providers']);
  return [
    ...reference([...path, 'team'], fields['team'], 'team', names.teams),
    ...reference([...path, 'customer'], fields['customer'], 'customer', names.customers),
    ...clients.flatMap((client) => reference([...client.path, 'name'], client.fields['name'], 'server', names.servers)),
    ...duplicates(clients, 'name', 'server of this key'),
    ...items(fields['tool_groups']).flatMap((group, index) =>
      reference([...path, 'tool_groups', index], group, 'tool group', names.toolGroups),
    ),
    ...providers.flatMap((entry) =>
      reference([...entry.path, 'name'], entry.fields['name'], 'provider', names.providers),
    ),
    ...duplicates(providers, 'name', 'provider of this key'),
    ...items(fields['fallbacks']).flatMap((target, index) => {
      // `provider/model`; a bare model is found among the key's providers when it is needed.
      const provider =
        typeof target === 'string' && target.includes('/') ? target.slice(0, target.indexOf('/')) : undefined;
      return reference([...path, 'fallbacks', index], provider, 'provider', names.providers);
    }),
  ];
}

function groupReferences({ path, fields }: Entry, names: Names): ConfigProblem[] {
  return ['tools', 'resources', 'prompts'].flatMap((kind) =>
    Object.keys(fieldsOf(fields[kind])).flatMap((server) =>
      reference([...path, kind, server], server, 'server', names.servers),
    ),
  );
}

function reference(path: ConfigPath, name: unknown, kind: string, known: ReadonlySet<string>): ConfigProblem[] {
  if (typeof name !== 'string' || known.has(name)) return [];
  const meant = nearest(name, known);
  const fix = meant === undefined ? `add a ${kind} of that name or remove the reference` : `did you mean "${meant}"?`;
  return [{ path, message: `no ${kind} is named "${name}"`, fix }];
}

function duplicates(list: readonly Entry[], field: string, kind: string): ConfigProblem[] {
  const seen = new Set<unknown>();
  return list.flatMap(({ path, fields }) => {
    const name = fields[field];
    if (typeof name !== 'string') return [];
    if (seen.has(name)) {
      return [
        {
          path: [...path, field],
          message: `another ${kind} is named "${name}" already`,
          fix: 'give each its own name',
        },
      ];
    }
    seen.add(name);
    return [];
  });
}

/** Both are served at `/mcp/<name>`. */
function sharedNames(toolGroups: readonly Entry[], servers: ReadonlySet<string>): ConfigProblem[] {
  return toolGroups.flatMap(({ path, fields }) => {
    const { name } = fields;
    if (typeof name !== 'string' || !servers.has(name)) return [];
    const message = `a server is named "${name}" too, and both would be served at /mcp/${name}`;
    return [{ path: [...path, 'name'], message, fix: 'rename the tool group' }];
  });
}

function sharedKeys(keys: readonly Entry[]): ConfigProblem[] {
  const seen = new Set<unknown>();
  return keys.flatMap(({ path, fields }) => {
    const { key } = fields;
    if (typeof key !== 'string') return [];
    if (seen.has(key)) {
      return [
        { path: [...path, 'key'], message: 'another virtual key has the same key', fix: 'give each its own key' },
      ];
    }
    seen.add(key);
    return [];
  });
}

function namesOf(list: readonly Entry[]): ReadonlySet<string> {
  return new Set(list.map(({ fields }) => fields['name']).filter((name) => typeof name === 'string'));
}

function entries(list: unknown, path: ConfigPath): Entry[] {
  return items(list).map((item, index) => ({ path: [...path, index], fields: fieldsOf(item) }));
}

function items(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
