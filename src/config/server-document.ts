// The shape of MCP servers.
import { z } from 'zod';
import { durationMs, headerMap, httpUrl, pattern, upstreamName } from './fields.ts';
import { budgets, rateLimitsByTool, toolCosts, toolRateLimits } from './limits-document.ts';

const upstreamBase = {
  name: upstreamName,
  timeout: durationMs.optional(),
  /** What one call costs, by tool or pattern of tools. */
  tool_cost_usd: toolCosts.optional(),
  /** Of what all keys together ask of it. */
  budgets: budgets.optional(),
  rate_limit: toolRateLimits.optional(),
  tool_rate_limits: rateLimitsByTool.optional(),
  /** Tools that the gateway may run by itself when a model asks for them. */
  auto_execute: z.array(pattern).optional(),
  disabled: z.boolean().optional(),
  /** `pinned`: a tool that is new or changed since the server was first seen waits for approval. `open` when absent. */
  trust: z.enum(['open', 'pinned']).optional(),
  /** Of tool definitions: `block` withholds those with a grave finding. `report` when absent. */
  scan: z.enum(['report', 'block', 'off']).optional(),
  /** `shared`: it keeps nothing of its clients apart, so that one session of its old protocol serves all. */
  sessions: z.enum(['isolated', 'shared']).optional(),
};
const remoteUpstream = {
  ...upstreamBase,
  url: httpUrl,
  headers: headerMap.optional(),
  auth: z.enum(['none', 'headers', 'oauth', 'per_user_oauth']).optional(),
  /** Forces the protocol era spoken to this server; found out by probing when absent. */
  era: z.enum(['auto', 'modern', 'legacy']).optional(),
};

const httpUrlText = (text: string): boolean => /^https?:\/\//i.test(text);
/** More would not fit into a row of the database, escaped as it is there. */
const SPEC_TEXT_BYTES = 400_000;
const SPEC_GZIP_CHARACTERS = 1_400_000;

/**
 * An OpenAPI description: its address, or the text itself. The command line puts the text in the place of a file's name.
 */
const apiSpec = z.union([
  z
    .string()
    .refine(httpUrlText, 'must be an http:// or https:// URL here; only the command line can read a file')
    .pipe(httpUrl)
    .transform((url) => ({ url })),
  z.strictObject({ url: httpUrl }),
  z.strictObject({
    document: z
      .union([z.string(), z.record(z.string(), z.unknown()).transform((data) => JSON.stringify(data))])
      .refine(
        (text) => new TextEncoder().encode(text).byteLength <= SPEC_TEXT_BYTES,
        `must have at most ${SPEC_TEXT_BYTES} bytes; send a larger one compressed, as gzip, or give its URL`,
      ),
  }),
  z.strictObject({
    /** The text compressed, in base64. */
    gzip: z.base64().max(SPEC_GZIP_CHARACTERS),
    /** Where it came from. */
    file: z.string().optional(),
  }),
]);

export const upstreamDocument = z.discriminatedUnion('type', [
  z.strictObject({
    ...upstreamBase,
    type: z.literal('stdio'),
    command: z.array(z.string().min(1)).min(1),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not a valid variable name'), z.string()).optional(),
    cwd: z.string().optional(),
    isolation: z.enum(['shared', 'session']).default('shared'),
    /** Whether it is told the roots of a client that has a process of its own. `withhold` when absent. */
    roots: z.enum(['relay', 'withhold']).optional(),
    idle_timeout: durationMs.optional(),
  }),
  z.strictObject({ ...remoteUpstream, type: z.literal('http') }),
  z.strictObject({ ...remoteUpstream, type: z.literal('sse') }),
  z.strictObject({
    ...upstreamBase,
    type: z.literal('openapi'),
    spec: apiSpec,
    /** Where the API is; by default where its description says, as far as that can be trusted. */
    base_url: httpUrl.optional(),
    headers: headerMap.optional(),
    auth: remoteUpstream.auth,
  }),
]);
