// The shapes of the configuration, as the file, the admin API and the database share them.
// Pure: imported by the worker and by the Node command line alike.
import { z } from 'zod';
import { durationMs, headerMap, httpUrl, keyName, name, pattern, upstreamName } from './fields.ts';
import { budgets, rateLimits, rateLimitsByTool, toolRateLimits } from './limits-document.ts';
import { prices } from './prices-document.ts';
import { upstreamDocument } from './server-document.ts';
import { settingsDocument } from './settings-document.ts';

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
  /** By model, or pattern of models. */
  prices: prices.optional(),
});

export const customerDocument = z.strictObject({
  name: keyName,
  budgets: budgets.optional(),
  rate_limit: rateLimits.optional(),
});
export const teamDocument = z.strictObject({
  name: keyName,
  customer: keyName.optional(),
  budgets: budgets.optional(),
  rate_limit: rateLimits.optional(),
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
        budgets: budgets.optional(),
        rate_limit: toolRateLimits.optional(),
        tool_rate_limits: rateLimitsByTool.optional(),
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
        budgets: budgets.optional(),
        rate_limit: rateLimits.optional(),
      }),
    )
    .default([]),
  fallbacks: z.array(z.string()).optional(),
  budgets: budgets.optional(),
  rate_limit: rateLimits.optional(),
};

/** As configured: the key itself, or none, in which case one is generated and shown once. */
export const virtualKeyDocument = z.strictObject({ ...keyGrants, key: z.string().min(8).max(200).optional() });

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
  alerts: settingsDocument.shape.alerts,
});

export { settingsDocument, upstreamDocument };
export type { SettingsDocument } from './settings-document.ts';

export type UpstreamDocument = z.output<typeof upstreamDocument>;
export type ProviderDocument = z.output<typeof providerDocument>;
export type ToolGroupDocument = z.output<typeof toolGroupDocument>;
export type VirtualKeyDocument = z.output<typeof virtualKeyDocument>;
export type GatewayDocument = z.output<typeof gatewayDocument>;
