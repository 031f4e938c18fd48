// Every table of D1. `npm run db:generate` turns a change here into a new file under migrations/.
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/** One row per configured object. The document is JSON; what is secret in it is sealed (`config/sealing.ts`). */
export const configObjects = sqliteTable(
  'config_objects',
  {
    /** server | tool_group | provider | customer | team | virtual_key | settings */
    kind: text('kind').notNull(),
    name: text('name').notNull(),
    id: text('id').notNull(),
    document: text('document').notNull(),
    /** `file` rows are pruned when they leave the file; `api` rows are not. */
    source: text('source', { enum: ['file', 'api'] }).notNull(),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.name] }), uniqueIndex('config_objects_id').on(table.id)],
);

/** A single row: counts changes, so that an isolate can ask cheaply whether its snapshot is stale. */
export const configRevision = sqliteTable('config_revision', {
  id: integer('id').primaryKey(),
  revision: integer('revision').notNull(),
});

/** Append-only. The row id is the cursor's order; `id` makes repeated deliveries harmless. */
export const auditEvents = sqliteTable(
  'audit_events',
  {
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    id: text('id').notNull(),
    at: integer('at').notNull(),
    kind: text('kind').notNull(),
    outcome: text('outcome').notNull(),
    reason: text('reason'),
    requestId: text('request_id'),
    parentId: text('parent_id'),
    keyId: text('key_id'),
    keyName: text('key_name'),
    team: text('team'),
    customer: text('customer'),
    principal: text('principal'),
    server: text('server'),
    tool: text('tool'),
    session: text('session'),
    client: text('client'),
    provider: text('provider'),
    model: text('model'),
    responseModel: text('response_model'),
    stream: integer('stream', { mode: 'boolean' }),
    inputTokens: integer('input_tokens'),
    outputTokens: integer('output_tokens'),
    cacheReadTokens: integer('cache_read_tokens'),
    cacheWriteTokens: integer('cache_write_tokens'),
    reasoningTokens: integer('reasoning_tokens'),
    usageCertainty: text('usage_certainty'),
    costNanoUsd: integer('cost_nano_usd'),
    estimateNanoUsd: integer('estimate_nano_usd'),
    chargedNanoUsd: integer('charged_nano_usd'),
    latencyMs: integer('latency_ms'),
    upstreamMs: integer('upstream_ms'),
    status: integer('status'),
    requestBytes: integer('request_bytes'),
    responseBytes: integer('response_bytes'),
    attempt: integer('attempt'),
    tags: text('tags'),
    toolUseId: text('tool_use_id'),
    argsSha256: text('args_sha256'),
    arguments: text('arguments'),
    result: text('result'),
    subject: text('subject'),
  },
  (table) => [
    uniqueIndex('audit_events_id').on(table.id),
    index('audit_events_at').on(table.at),
    index('audit_events_key').on(table.keyId, table.at),
    index('audit_events_request').on(table.requestId),
  ],
);

/** What has no name in a dimension has the empty text there: a NULL is not equal to itself. */
const dimension = (name: string) => text(name).notNull();
const sum = (name: string) => integer(name).notNull();

/**
 * Sums of audit events, by everything that spend is asked for. Each event is counted in three spans and, in each, once
 * under the tag '' and once under every tag it carries. WITHOUT ROWID in its migration.
 */
export const spendRollups = sqliteTable(
  'spend_rollups',
  {
    span: text('span', { enum: ['hour', 'day', 'month'] }).notNull(),
    /** Of the span, UTC; milliseconds since the epoch. */
    start: integer('start').notNull(),
    tag: dimension('tag'),
    tagValue: dimension('tag_value'),
    kind: dimension('kind'),
    customer: dimension('customer'),
    team: dimension('team'),
    keyId: dimension('key_id'),
    keyName: dimension('key_name'),
    provider: dimension('provider'),
    model: dimension('model'),
    server: dimension('server'),
    tool: dimension('tool'),
    calls: sum('calls'),
    errors: sum('errors'),
    cancelled: sum('cancelled'),
    denied: sum('denied'),
    unpricedCalls: sum('unpriced_calls'),
    lowerBoundCalls: sum('lower_bound_calls'),
    overCalls: sum('over_calls'),
    costNanoUsd: sum('cost_nano_usd'),
    chargedNanoUsd: sum('charged_nano_usd'),
    overNanoUsd: sum('over_nano_usd'),
    inputTokens: sum('input_tokens'),
    outputTokens: sum('output_tokens'),
    cacheReadTokens: sum('cache_read_tokens'),
    cacheWriteTokens: sum('cache_write_tokens'),
  },
  (table) => [
    primaryKey({
      columns: [
        table.span, table.start, table.tag, table.tagValue, table.kind, table.customer, table.team, table.keyId,
        table.keyName, table.provider, table.model, table.server, table.tool,
      ], // prettier-ignore
    }),
  ],
);

/** Which values of a tag are kept apart on a day; the names of tags are the values of the tag ''. WITHOUT ROWID too. */
export const spendTagValues = sqliteTable(
  'spend_tag_values',
  { day: integer('day').notNull(), tag: text('tag').notNull(), value: text('value').notNull() },
  (table) => [primaryKey({ columns: [table.day, table.tag, table.value] })],
);

/** A single row: the audit event up to which all are in the rollups. */
export const spendPosition = sqliteTable('spend_position', {
  id: integer('id').primaryKey(),
  seq: integer('seq').notNull(),
});
