// `sallyport keys`: the virtual keys of a running gateway.
import type { NewKey } from '../admin-client.ts';
import { Complaint } from '../complaint.ts';
import { nearest } from '../../src/lib/nearest.ts';
import { table } from '../report.ts';
import type { Settings } from '../settings.ts';
import { adminOf } from './admin.ts';

export const KEY_FLAGS = {
  server: { type: 'string', multiple: true },
  'tool-group': { type: 'string', multiple: true },
  provider: { type: 'string', multiple: true },
  team: { type: 'string' },
  customer: { type: 'string' },
  'expires-at': { type: 'string' },
} as const;

export interface KeyFlags {
  readonly server?: readonly string[] | undefined;
  readonly 'tool-group'?: readonly string[] | undefined;
  readonly provider?: readonly string[] | undefined;
  readonly team?: string | undefined;
  readonly customer?: string | undefined;
  readonly 'expires-at'?: string | undefined;
}

/** @param words what stands behind `keys` */
export async function keys(settings: Settings, words: readonly string[], flags: KeyFlags): Promise<void> {
  const [action, name, ...rest] = words;
  if (action === 'list' && name === undefined) return list(settings);
  if (action === 'create' && name !== undefined && rest.length === 0) return create(settings, newKey(name, flags));
  if (action === 'revoke' && name !== undefined && rest.length === 0) return revoke(settings, name);
  const meant = action === undefined ? undefined : nearest(action, ['create', 'list', 'revoke']);
  const guess = meant === undefined || meant === action ? '' : `; did you mean "${meant}"?`;
  throw new Complaint(`usage: sallyport keys create NAME | list | revoke NAME${guess}`, 2);
}

async function list(settings: Settings): Promise<void> {
  const found = await (await adminOf(settings)).keys();
  const rows = found.map((key) => [key.key_name, key.team ?? '', key.customer ?? '', key.expires_at ?? '', key.source]);
  console.log(table([['name', 'team', 'customer', 'expires', 'source'], ...rows]));
}

async function create(settings: Settings, key: NewKey): Promise<void> {
  const made = await (await adminOf(settings)).createKey(key);
  console.log(`key of ${key.key_name}, shown this once: ${made}`);
}

async function revoke(settings: Settings, name: string): Promise<void> {
  await (await adminOf(settings)).revokeKey(name);
  console.log(`${name} is revoked`);
}

/** `--server github=search_code,get_issue` and `--provider openai=gpt-4o*`; a name alone grants all of it. */
function newKey(name: string, flags: KeyFlags): NewKey {
  return {
    key_name: name,
    ...(flags.team === undefined ? {} : { team: flags.team }),
    ...(flags.customer === undefined ? {} : { customer: flags.customer }),
    ...(flags['expires-at'] === undefined ? {} : { expires_at: flags['expires-at'] }),
    mcp_clients: (flags.server ?? []).map(grant).map(([server, tools]) => ({ name: server, allowed_tools: tools })),
    tool_groups: [...(flags['tool-group'] ?? [])],
    providers: (flags.provider ?? []).map(grant).map(([provider, models]) => ({ name: provider, models, weight: 1 })),
  };
}

function grant(text: string): [name: string, patterns: string[]] {
  const [name = '', patterns] = text.split('=', 2);
  return [name, patterns === undefined ? ['*'] : patterns.split(',')];
}
