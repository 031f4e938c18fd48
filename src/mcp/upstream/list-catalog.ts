// What an upstream lists, kind by kind and page by page, within bounds. Little of an item is judged, so that one odd
// schema does not hide the others; a `$ref` is text, nobody follows it.
import type { Prompt, Resource, ResourceTemplateType as ResourceTemplate, Tool } from '@modelcontextprotocol/client';
import type { z } from 'zod';
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import type { Catalog } from '../ports.ts';
import { RPC } from '../protocol/errors.ts';
import { hasInvalidParamHeaders } from '../protocol/param-headers.ts';
import type { Era } from './connect.ts';
import { answerIn } from './explain-failure.ts';
import { pageOf } from './relayed-result.ts';

/** A server whose cursor never ends, or whose pages are tiny, must end all the same. */
const MOST_PAGES = 200;
/** Of one kind, as JSON text. A catalog travels between objects whole, in a message of at most 32 MiB. */
const MOST_CHARACTERS = 6 * 1024 * 1024;
/** Of one item: each is a row of a database whose rows end at 2 MB. */
const ITEM_CHARACTERS = 512 * 1024;
/** What is left of a description too long for that. */
const DESCRIPTION_CHARACTERS = 8 * 1024;
const CONTROL_CHARACTER = /\p{Cc}|\p{Cs}/u;

/** Items of each kind; of templates as many as of resources. */
export interface CatalogLimits {
  readonly tools: number;
  readonly resources: number;
  readonly prompts: number;
}

interface Listing<T> {
  readonly items: readonly T[];
  /** What was left out, for the operator to read. */
  readonly notes: readonly string[];
}

interface Kind<T> {
  readonly method: string;
  /** Of the result. */
  readonly member: string;
  readonly plural: string;
  readonly limit: number;
  readonly setting: string;
  /** @returns why the item cannot be offered, in words that follow "n of its …", where it cannot */
  readonly read: (listed: JsonObject) => { readonly item: T } | { readonly fault: string };
}

/** Whoever can ask the upstream: a client of the SDK, or a session that is open. */
export interface Lister {
  request(
    request: { readonly method: string; readonly params: { readonly cursor?: string } },
    page: ReturnType<typeof pageOf>,
    options: ListingOptions,
  ): Promise<z.output<ReturnType<typeof pageOf>>>;
}

export interface ListingOptions {
  readonly signal: AbortSignal;
  /** For each page, milliseconds. */
  readonly timeout: number;
}

/** Asks for the lists that the upstream declares. Rejects when one breaks off; an error answered for one is a note. */
export async function listCatalog(
  client: Lister,
  { capabilities, era }: { readonly capabilities: Catalog['capabilities']; readonly era: Era },
  limits: CatalogLimits,
  options: ListingOptions,
): Promise<Pick<Catalog, 'tools' | 'resources' | 'resourceTemplates' | 'prompts' | 'note'>> {
  const nothing = { items: [], notes: [] };
  const list = <T>(kind: Kind<T>): Promise<Listing<T>> => listTolerantly(client, kind, options);
  const offered = <T>(capability: unknown, kind: Kind<T>) => (capability === undefined ? nothing : list(kind));
  const [tools, resources, templates, prompts] = await Promise.all([
    capabilities.tools === undefined ? nothing : listItems(client, toolKind(limits.tools, era), options),
    offered(capabilities.resources, resourceKind(limits.resources)),
    offered(capabilities.resources, templateKind(limits.resources)),
    offered(capabilities.prompts, promptKind(limits.prompts)),
  ]);
  const notes = [tools, resources, templates, prompts].flatMap((listing) => listing.notes);
  return {
    tools: tools.items,
    ...(capabilities.resources !== undefined && { resources: resources.items, resourceTemplates: templates.items }),
    ...(capabilities.prompts !== undefined && { prompts: prompts.items }),
    ...(notes.length > 0 && { note: notes.join('; ') }),
  };
}

/** Servers declare resources and have no templates, or prompts and answer an error: their tools work all the same. */
async function listTolerantly<T>(client: Lister, kind: Kind<T>, options: ListingOptions): Promise<Listing<T>> {
  try {
    return await listItems(client, kind, options);
  } catch (error) {
    const answer = answerIn(error);
    if (answer === undefined) throw error;
    const notes =
      answer.code === RPC.methodNotFound
        ? []
        : [`its ${kind.plural} are left out: it answers ${kind.method} with an error`];
    return { items: [], notes };
  }
}

async function listItems<T>(client: Lister, kind: Kind<T>, options: ListingOptions): Promise<Listing<T>> {
  const { plural, limit, setting, method, member } = kind;
  const items: T[] = [];
  const faults = new Map<string, number>();
  let characters = 0;
  const listing = (note?: string): Listing<T> => ({
    items,
    notes: [...[...faults].map(([fault, count]) => `${count} of its ${plural} ${fault}`), ...(note ? [note] : [])],
  });
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const params = cursor === undefined ? {} : { cursor };
    const result = await client.request({ method, params }, pageOf(member), options);
    for (const listed of result.items) {
      const { item, fault, size } = readItem(kind, listed);
      if (fault !== undefined) faults.set(fault, (faults.get(fault) ?? 0) + 1);
      if (item === undefined) continue;
      if (items.length === limit) return listing(`only its first ${limit} ${plural} are offered (limits.${setting})`);
      characters += size;
      if (characters > MOST_CHARACTERS) {
        return listing(
          `only its first ${items.length} ${plural} are offered: their descriptions and schemas are too long`,
        );
      }
      items.push(item);
    }
    const { nextCursor } = result;
    if (nextCursor === undefined || nextCursor === '') return listing();
    if (nextCursor === cursor) return listing(`its list of ${plural} repeats the same page; the rest is left out`);
    cursor = nextCursor;
  }
  return listing(`only the first ${MOST_PAGES} pages of its list of ${plural} were read`);
}

/** An item may be offered and have a fault all the same: a description that was cut. */
interface ReadItem<T> {
  readonly item?: T;
  readonly fault?: string;
  readonly size: number;
}

function readItem<T>(kind: Kind<T>, listed: unknown): ReadItem<T> {
  if (!isObject(listed)) return { fault: 'are no objects and are left out', size: 0 };
  let size = JSON.stringify(listed).length;
  let bounded = listed;
  let fault: string | undefined;
  if (size > ITEM_CHARACTERS) {
    const { description } = listed;
    if (typeof description === 'string') {
      bounded = { ...listed, description: `${description.slice(0, DESCRIPTION_CHARACTERS)}…` };
      size = JSON.stringify(bounded).length;
    }
    if (size > ITEM_CHARACTERS) return { fault: 'are too large and are left out', size: 0 };
    fault = 'have descriptions too long to be kept whole';
  }
  const read = kind.read(bounded);
  if ('fault' in read) return { fault: read.fault, size: 0 };
  return { item: read.item, size, ...(fault !== undefined && { fault }) };
}

function toolKind(limit: number, era: Era): Kind<Tool> {
  return {
    method: 'tools/list',
    member: 'tools',
    plural: 'tools',
    limit,
    setting: 'tools_per_server',
    read(listed) {
      const { name, inputSchema } = listed;
      const fault = nameFault(name);
      if (fault !== undefined) return { fault };
      // 2026-07-28, Streamable HTTP: clients must not offer such a tool.
      if (era === 'modern' && hasInvalidParamHeaders(inputSchema)) {
        return { fault: 'have an invalid x-mcp-header annotation and are left out' };
      }
      return { item: { ...listed, inputSchema: isObject(inputSchema) ? inputSchema : { type: 'object' } } as Tool };
    },
  };
}

function promptKind(limit: number): Kind<Prompt> {
  return {
    method: 'prompts/list',
    member: 'prompts',
    plural: 'prompts',
    limit,
    setting: 'prompts_per_server',
    read(listed) {
      const fault = nameFault(listed['name']);
      return fault === undefined ? { item: listed as unknown as Prompt } : { fault };
    },
  };
}

function resourceKind(limit: number): Kind<Resource> {
  return {
    method: 'resources/list',
    member: 'resources',
    plural: 'resources',
    limit,
    setting: 'resources_per_server',
    read: (listed) => readLocated<Resource>(listed, 'uri'),
  };
}

function templateKind(limit: number): Kind<ResourceTemplate> {
  return {
    method: 'resources/templates/list',
    member: 'resourceTemplates',
    plural: 'resource templates',
    limit,
    setting: 'resources_per_server',
    read: (listed) => readLocated<ResourceTemplate>(listed, 'uriTemplate'),
  };
}

function readLocated<T>(listed: JsonObject, member: 'uri' | 'uriTemplate'): { item: T } | { fault: string } {
  const { [member]: place, name } = listed;
  if (typeof place !== 'string' || place === '' || CONTROL_CHARACTER.test(place)) {
    return { fault: 'have no usable URI and are left out' };
  }
  return { item: { ...listed, name: typeof name === 'string' ? name : place } as T };
}

function nameFault(name: unknown): string | undefined {
  if (typeof name !== 'string' || name === '') return 'have no name and are left out';
  return CONTROL_CHARACTER.test(name) ? 'have control characters in their names and are left out' : undefined;
}
