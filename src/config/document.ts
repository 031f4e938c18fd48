// The shapes of the configuration, as the file, the admin API and the database share them.
// Pure: imported by the worker and by the Node command line alike.
import { z } from 'zod';
import { parseByteSize, parseDurationMs } from './units.ts';

const NAME = /^[a-z0-9][a-z0-9_-]*$/;
const name = z
  .string()
  .max(64)
  .regex(NAME, 'use lower-case letters, digits, "-" and "_", beginning with a letter or digit');
const upstreamName = z
  .string()
  .max(40)
  .regex(/^[a-z0-9][a-z0-9-]*$/, 'use lower-case letters, digits and "-", beginning with a letter or digit');
const keyName = z.string().min(1).max(100);

const httpUrl = z.string().refine((text) => {
  try {
    const url = new URL(text);
    return (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
  } catch {
    return false;
  }
}, 'must be an http:// or https:// URL without user name or password');

const durationMs = z.union([z.string(), z.number()]).transform((value, context) => {
  const parsed = parseDurationMs(value);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'must be a duration such as 500ms, 30s, 5m or 1h' });
  return z.NEVER;
});
const byteSize = z.union([z.string(), z.number()]).transform((value, context) => {
  const parsed = parseByteSize(value);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'must be a size such as 512KiB or 20MiB' });
  return z.NEVER;
});
const period = z.string().regex(/^[1-9][0-9]{0,3}[mhdwMY]$/, 'must be a period such as 1m, 1h, 1d, 1w, 1M or 1Y');

const budget = z.strictObject({
  limit_usd: z.number().nonnegative(),
  period,
  calendar: z.boolean().optional(),
  alert_at: z.array(z.number().positive().max(1)).optional(),
});
const rateLimit = z.strictObject({
  requests: z.int().positive().optional(),
  tokens: z.int().positive().optional(),
  concurrent: z.int().positive().optional(),
  period: period.default('1m'),
});

const headerMap = z.record(
  z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'is not a valid header name'),
  z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must not hold control characters'),
);

/** `*`, a name, or a name ending in `*`. */
const pattern = z
  .string()
  .min(1)
  .max(256)
  .refine((text) => !text.slice(0, -1).includes('*'), '"*" may stand alone or at the end only');

const upstreamBase = {
  name: upstreamName,
  timeout: durationMs.optional(),
  tool_cost_usd: z.record(z.string(), z.number().nonnegative()).optional(),
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

export const toolGroupDocument = z.strictObject({
  name: upstreamName,
  tools: z.record(upstreamName, z.array(pattern)),
  /** A server left out: all, where all of its tools are granted, else none. */
  resources: z.record(upstreamName, z.array(pattern)).optional(),
  prompts: z.record(upstreamName, z.array(pattern)).optional(),
});

export const providerDocument = z.strictObject({
  name,
  /** Which wire format and price list; defaults to the name. */
  type: z.string().optional(),
  base_url: httpUrl.optional(),
  keys: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(100).optional(),
        value: z.string().min(1),
        weight: z.number().positive().default(1),
        models: z.array(pattern).default(['*']),
      }),
    )
    .default([]),
  headers: headerMap.optional(),
  timeout: durationMs.optional(),
  retries: z.int().min(0).max(10).optional(),
});

export const customerDocument = z.strictObject({
  name: keyName,
  budgets: z.array(budget).optional(),
  rate_limit: rateLimit.optional(),
});
export const teamDocument = z.strictObject({
  name: keyName,
  customer: keyName.optional(),
  budgets: z.array(budget).optional(),
  rate_limit: rateLimit.optional(),
});

const keyGrants = {
  key_name: keyName,
  team: keyName.optional(),
  customer: keyName.optional(),
  expires_at: z.union([z.iso.datetime({ offset: true }), z.date().transform((date) => date.toISOString())]).optional(),
  disabled: z.boolean().optional(),
  mode: z.enum(['direct', 'search', 'code', 'auto']).optional(),
  /** Whether calls of models are given the key's tools without asking for them. */
  inject_tools: z.boolean().optional(),
  mcp_clients: z
    .array(
      z.strictObject({
        name: upstreamName,
        allowed_tools: z.array(pattern),
        /** URIs. Left out: all, where all tools are granted, else none; so are prompts. */
        allowed_resources: z.array(pattern).optional(),
        allowed_prompts: z.array(pattern).optional(),
      }),
    )
    .default([]),
  tool_groups: z.array(upstreamName).default([]),
  providers: z
    .array(
      z.strictObject({
        name,
        models: z.array(pattern).default(['*']),
        weight: z.number().positive().default(1),
        budgets: z.array(budget).optional(),
        rate_limit: rateLimit.optional(),
      }),
    )
    .default([]),
  fallbacks: z.array(z.string()).optional(),
  budgets: z.array(budget).optional(),
  rate_limit: rateLimit.optional(),
};

/** As configured: the key itself, or none, in which case one is generated and shown once. */
export const virtualKeyDocument = z.strictObject({ ...keyGrants, key: z.string().min(8).max(200).optional() });

export const settingsDocument = z.strictObject({
  audit: z
    .strictObject({
      content: z.enum(['none', 'hash', 'redacted', 'full']).default('hash'),
      durability: z
        .strictObject({
          tool_calls: z.enum(['durable', 'batched']).default('durable'),
          llm_calls: z.enum(['durable', 'batched']).default('batched'),
        })
        .prefault({}),
      retention: z
        .strictObject({ days: z.int().positive().default(90), rows: z.int().positive().default(10_000_000) })
        .prefault({}),
    })
    .prefault({}),
  limits: z
    .strictObject({
      request_bytes: byteSize.default(20 * 1024 * 1024),
      response_bytes: byteSize.default(64 * 1024 * 1024),
      concurrent_requests: z.int().positive().default(1000),
      tools_per_server: z.int().positive().default(2000),
      /** How often within one request tools are run and the model is called again. */
      agent_depth: z.int().min(1).max(50).default(10),
      /** Of templates as many again. */
      resources_per_server: z.int().positive().default(5000),
      prompts_per_server: z.int().positive().default(2000),
    })
    .prefault({}),
  health: z
    .strictObject({
      interval: durationMs.default(10_000),
      timeout: durationMs.default(5_000),
      idle_after: durationMs.default(3_600_000),
    })
    .prefault({}),
  sessions: z
    .strictObject({
      /** Sessions of MCP clients of old end when nobody used them for so long. */
      idle_timeout: durationMs.default(30 * 60_000),
      /** Of one key. */
      per_key: z.int().positive().max(100_000).default(1000),
    })
    .prefault({}),
  code_mode: z
    .strictObject({ enabled: z.boolean().default(false), sandbox: z.enum(['quickjs', 'starlark']).default('quickjs') })
    .prefault({}),
});

/** `sallyport.yaml`, after `${VAR}` has been filled in. */
export const gatewayDocument = z.strictObject({
  mcp: z
    .strictObject({
      servers: z.array(upstreamDocument).default([]),
      tool_groups: z.array(toolGroupDocument).default([]),
      code_mode: settingsDocument.shape.code_mode,
      sessions: settingsDocument.shape.sessions,
    })
    .prefault({}),
  providers: z.array(providerDocument).default([]),
  customers: z.array(customerDocument).default([]),
  teams: z.array(teamDocument).default([]),
  virtual_keys: z.array(virtualKeyDocument).default([]),
  audit: settingsDocument.shape.audit,
  limits: settingsDocument.shape.limits,
  health: settingsDocument.shape.health,
});

export type UpstreamDocument = z.output<typeof upstreamDocument>;
export type ProviderDocument = z.output<typeof providerDocument>;
export type ToolGroupDocument = z.output<typeof toolGroupDocument>;
export type VirtualKeyDocument = z.output<typeof virtualKeyDocument>;
export type SettingsDocument = z.output<typeof settingsDocument>;
export type GatewayDocument = z.output<typeof gatewayDocument>;
