// The shape of what concerns the gateway as a whole.
import { z } from 'zod';
import { byteSize, durationMs, httpUrl } from './fields.ts';
import { webhookKey } from './webhook-secret.ts';

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
  alerts: z
    .strictObject({
      /** Is told of thresholds of budgets that were passed. */
      webhook: z
        .strictObject({
          url: httpUrl,
          /** What posts are signed with. */
          secret: z
            .string()
            .min(16)
            .max(500)
            .refine((secret) => webhookKey(secret) !== undefined, {
              message: 'must be base64, with or without "whsec_" before it',
              params: { fix: 'make one with: openssl rand -base64 32' },
            }),
          /** Whether it may be on a private address. */
          allow_private: z.boolean().default(false),
        })
        .optional(),
    })
    .optional(),
  code_mode: z
    .strictObject({ enabled: z.boolean().default(false), sandbox: z.enum(['quickjs', 'starlark']).default('quickjs') })
    .prefault({}),
});

export type SettingsDocument = z.output<typeof settingsDocument>;
export type WebhookSettings = NonNullable<NonNullable<SettingsDocument['alerts']>['webhook']>;
