// Speaks to a gateway's admin API. Answers are parsed for what is used here and no more.
import { z } from 'zod';
import type { GatewayDocument, VirtualKeyDocument } from '../src/config/document.ts';
import type { ConfigProblem } from '../src/config/check.ts';
import type { HealthState } from '../src/health/report.ts';
import { err, ok, type Result } from '../src/lib/result.ts';
import { Complaint } from './complaint.ts';

const TIMEOUT_MS = 30_000;

const generatedKey = z.object({ name: z.string(), key: z.string() });
const configPath = z.array(z.union([z.string(), z.number()]));
const applied = z.object({
  changes: z.array(z.object({ kind: z.string(), name: z.string(), change: z.enum(['created', 'updated', 'deleted']) })),
  generated_keys: z.array(generatedKey).default([]),
});
const refusal = z.object({
  errors: z.array(z.object({ path: configPath, message: z.string(), fix: z.string().exactOptional() })),
});
const problemDocument = z.object({ detail: z.string() });
const healthState: z.ZodType<HealthState> = z.enum(['unknown', 'healthy', 'failing', 'idle', 'needs_auth', 'disabled']);
const serverPage = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      health: z.object({
        state: healthState,
        toolCount: z.number(),
        lastError: z.object({ message: z.string() }).optional(),
      }),
    }),
  ),
  next_cursor: z.string().nullish(),
});
const keyPage = z.object({
  items: z.array(z.object({ name: z.string() }).catchall(z.unknown())),
  next_cursor: z.string().nullish(),
});

export type AppliedConfig = z.output<typeof applied>;
export type ServerStatus = z.output<typeof serverPage>['items'][number];
export type ListedKey = z.output<typeof keyPage>['items'][number];
/** The grants of a key to be made; the key itself comes back. */
export type NewKey = Partial<Omit<VirtualKeyDocument, 'key'>> & { readonly key_name: string };

/** Every method throws a Complaint when the gateway does not answer, or does not accept the token. */
export class AdminClient {
  readonly #base: URL;
  readonly #token: string;

  constructor(base: URL | string, token: string) {
    this.#base = new URL(base);
    this.#token = token;
  }

  /** Makes the document the configuration; what the file had and has no more goes. Refused whole when any of it is wrong. */
  async apply(document: GatewayDocument): Promise<Result<AppliedConfig, readonly ConfigProblem[]>> {
    const response = await this.#send('PUT', 'api/config?source=file', document);
    if (response.status === 400) {
      const refused = refusal.safeParse(await response.json());
      if (refused.success) return err(refused.data.errors);
    }
    return ok(applied.parse(await this.#accepted(response)));
  }

  servers(): Promise<ServerStatus[]> {
    return this.#pages('api/servers', serverPage);
  }

  keys(): Promise<ListedKey[]> {
    return this.#pages('api/virtual-keys', keyPage);
  }

  /** @returns the key, which cannot be shown again */
  async createKey(key: NewKey): Promise<string> {
    const response = await this.#send('POST', 'api/virtual-keys', key);
    return z.object({ key: z.string() }).parse(await this.#accepted(response)).key;
  }

  async revokeKey(name: string): Promise<void> {
    await this.#accepted(await this.#send('DELETE', `api/virtual-keys/${encodeURIComponent(name)}`));
  }

  async #pages<T>(
    path: string,
    page: z.ZodType<{ items: T[]; next_cursor?: string | null | undefined }>,
  ): Promise<T[]> {
    const all: T[] = [];
    let cursor: string | null | undefined;
    do {
      const query = cursor === undefined || cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`;
      const { items, next_cursor: next } = page.parse(await this.#accepted(await this.#send('GET', path + query)));
      all.push(...items);
      cursor = next;
    } while (cursor !== undefined && cursor !== null);
    return all;
  }

  async #send(method: string, path: string, body?: unknown): Promise<Response> {
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

  async #accepted(response: Response): Promise<unknown> {
    const text = await response.text();
    if (response.status === 401) {
      throw new Complaint(
        'the gateway does not accept the admin token: set SALLYPORT_ADMIN_TOKEN or give --data its data folder',
      );
    }
    const body = parseJson(text);
    if (response.ok) return body;
    const problem = problemDocument.safeParse(body);
    throw new Complaint(`the gateway answered ${response.status}${problem.success ? `: ${problem.data.detail}` : ''}`);
  }
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
