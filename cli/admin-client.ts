// Speaks to a gateway's admin API. Answers are parsed for what is used here and no more.
import { z } from 'zod';
import type { GatewayDocument, VirtualKeyDocument } from '../src/config/document.ts';
import { Complaint } from './complaint.ts';

const TIMEOUT_MS = 30_000;

const problemItem = z.object({ path: z.string(), message: z.string(), fix: z.string().optional() });
const applied = z.object({
  changes: z.array(z.object({ kind: z.string(), name: z.string(), change: z.enum(['created', 'updated', 'deleted']) })),
  generated_keys: z.array(z.object({ key_name: z.string(), key: z.string() })),
  warnings: z.array(problemItem),
});
const refusal = z.object({ detail: z.string(), problems: z.array(problemItem).default([]) });
const nextCursor = z.string().nullable();
const serverPage = z.object({
  items: z.array(z.object({ name: z.string(), type: z.string(), disabled: z.boolean().default(false) })),
  next_cursor: nextCursor,
});
const healthAnswer = z.object({
  state: z.enum(['unknown', 'healthy', 'failing', 'idle', 'needs_auth', 'disabled']),
  tool_count: z.number(),
  withheld_count: z.number().default(0),
  last_error: z.object({ message: z.string() }).nullable(),
});
const keyPage = z.object({
  items: z.array(
    z.object({
      key_name: z.string(),
      source: z.string(),
      team: z.string().optional(),
      customer: z.string().optional(),
      expires_at: z.string().optional(),
    }),
  ),
  next_cursor: nextCursor,
});

export type AppliedConfig = z.output<typeof applied>;
export type ListedServer = z.output<typeof serverPage>['items'][number];
export type ServerHealth = z.output<typeof healthAnswer>;
export type ListedKey = z.output<typeof keyPage>['items'][number];
/** The grants of a key to be made; the key itself comes back. */
export type NewKey = Partial<Omit<VirtualKeyDocument, 'key'>> & { readonly key_name: string };

/** Every method throws a Complaint when the gateway does not answer, or refuses. */
export class AdminClient {
  readonly #base: URL;
  readonly #token: string;

  constructor(base: URL | string, token: string) {
    this.#base = new URL(base);
    this.#token = token;
  }

  /** Makes the document the configuration; what the file had and has no more goes. Refused whole when any of it is wrong. */
  async apply(document: GatewayDocument): Promise<AppliedConfig> {
    return applied.parse(await this.#send('PUT', 'api/config?source=file', document));
  }

  servers(): Promise<ListedServer[]> {
    return this.#pages('api/servers', serverPage);
  }

  async health(server: string): Promise<ServerHealth> {
    return healthAnswer.parse(await this.#send('GET', `api/servers/${encodeURIComponent(server)}/health`));
  }

  keys(): Promise<ListedKey[]> {
    return this.#pages('api/virtual-keys', keyPage);
  }

  /** @returns the key, which cannot be shown again */
  async createKey(key: NewKey): Promise<string> {
    return z.object({ key: z.string() }).parse(await this.#send('POST', 'api/virtual-keys', key)).key;
  }

  async revokeKey(name: string): Promise<void> {
    await this.#send('DELETE', `api/virtual-keys/${encodeURIComponent(name)}`);
  }

  async #pages<T>(path: string, page: z.ZodType<{ items: T[]; next_cursor: string | null }>): Promise<T[]> {
    const all: T[] = [];
    let query = '';
    for (;;) {
      const { items, next_cursor: next } = page.parse(await this.#send('GET', path + query));
      all.push(...items);
      if (next === null) return all;
      query = `?cursor=${encodeURIComponent(next)}`;
    }
  }

  async #send(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await this.#fetch(method, path, body);
    const answer = parseJson(await response.text());
    if (response.ok) return answer;
    if (response.status === 401) {
      throw new Complaint(
        'the gateway does not accept the admin token: set SALLYPORT_ADMIN_TOKEN or give --data its data folder',
      );
    }
    const refused = refusal.safeParse(answer);
    if (!refused.success) throw new Complaint(`${this.#base.origin} answered ${response.status}: is it a gateway?`);
    const { detail, problems } = refused.data;
    throw new Complaint(
      problems.length === 0 ? detail : problems.map(itemLine).join('\n'),
      response.status === 400 ? 2 : 1,
    );
  }

  async #fetch(method: string, path: string, body: unknown): Promise<Response> {
    try {
      return await fetch(new URL(path, this.#base), {
        method,
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        // The token is for this address alone.
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new Complaint(`no gateway answers at ${this.#base.origin}: is it running? (${reasonOf(cause)})`);
    }
  }
}

/** `virtual_keys[0].team: no team is named … (fix)` */
export function itemLine({ path, message, fix }: z.output<typeof problemItem>): string {
  return `${path}: ${message}${fix === undefined ? '' : ` (${fix})`}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
