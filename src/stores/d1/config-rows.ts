// Rows of `config_objects` in and out. Writes are guarded by the revision they were planned on: of two that race, one
// is refused and plans again.
import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { z } from 'zod';
import { settingsDocument } from '../../config/document.ts';
import type { Keyring } from '../../config/keyring.ts';
import { OBJECT_SCHEMAS, type ObjectKind } from '../../config/objects.ts';
import type { SealedObject } from '../../config/sealed-object.ts';
import { ConfigurationUnavailable, masterKeyCheck, type ObjectRecord } from '../../config/stored.ts';
import { migrate } from './migrate.ts';
import { configObjects, configRevision } from './schema.ts';

export interface ConfigState {
  readonly revision: number;
  readonly objects: readonly SealedObject[];
  /** Whether the master key has been written down for comparison. */
  readonly hasMasterKeyCheck: boolean;
}

type Row = typeof configObjects.$inferSelect;

/** What the `document` column holds. */
const envelope = z.object({
  fingerprint: z.string(),
  document: z.unknown(),
  key: z.object({ hash: z.string(), prefix: z.string(), minted: z.boolean() }).optional(),
});

const openSettings = settingsDocument.omit({ alerts: true }).strip();

/** A row beside the objects; its kind is none of theirs. */
const MASTER_KEY_KIND = 'master_key';
const MASTER_KEY_NAME = 'check';

/** Bytes of D1's largest bound value are 2 million; a UTF-16 unit is at most three of them. */
const CHUNK_CHARACTERS = 500_000;

// Written as SQL: a batch of the query builder drops the parameters of raw statements.
const UPSERT_ROWS = `
  INSERT INTO config_objects (kind, name, id, document, source, created_at, updated_at)
  SELECT value->>'kind', value->>'name', value->>'id', value->>'document', value->>'source',
         value->>'createdAt', value->>'updatedAt'
  FROM json_each(?) WHERE true
  ON CONFLICT (kind, name) DO UPDATE SET
    document = excluded.document, source = excluded.source, updated_at = excluded.updated_at`;
const DELETE_ROWS = `
  DELETE FROM config_objects
  WHERE (kind, name) IN (SELECT value->>'kind', value->>'name' FROM json_each(?))`;
const FIRST_REVISION = 'INSERT INTO config_revision (id, revision) VALUES (1, 0) ON CONFLICT DO NOTHING';
/** Null violates the column, which undoes the whole batch. */
const NEXT_REVISION = 'UPDATE config_revision SET revision = CASE revision WHEN ? THEN revision + 1 END WHERE id = 1';
const LOST_RACE = 'NOT NULL constraint failed: config_revision.revision';

/** One small read. @returns 0 before the first change */
export async function readRevision(db: D1Database): Promise<number> {
  await migrate(db);
  const [row] = await drizzle(db).select().from(configRevision);
  return row?.revision ?? 0;
}

/**
 * Everything, as of one moment.
 * @throws ConfigurationUnavailable when it is kept under another master key
 */
export async function readState(db: D1Database, keyring: Keyring): Promise<ConfigState> {
  await migrate(db);
  const orm = drizzle(db);
  const [revisions, rows] = await orm.batch([orm.select().from(configRevision), orm.select().from(configObjects)]);
  const check = rows.find((row) => row.kind === MASTER_KEY_KIND);
  if (check !== undefined && check.document !== (await masterKeyCheck(keyring)))
    throw new ConfigurationUnavailable(
      'The stored configuration is sealed with another SALLYPORT_MASTER_KEY. Start with that key, or with an empty data folder.',
    );
  return {
    revision: revisions[0]?.revision ?? 0,
    objects: rows.flatMap((row) => (isObjectKind(row.kind) ? [toSealedObject(row, row.kind)] : [])),
    hasMasterKeyCheck: check !== undefined,
  };
}

/** Without what is sealed: the rest is needed where there is no master key. @returns the defaults before any were applied */
export async function readSettings(db: D1Database): Promise<z.output<typeof openSettings>> {
  await migrate(db);
  const [row] = await drizzle(db).select().from(configObjects).where(eq(configObjects.kind, 'settings'));
  return openSettings.parse(row === undefined ? {} : toSealedObject(row, 'settings').document);
}

export function toSealedObject(row: Row, kind: ObjectKind): SealedObject {
  const { fingerprint, document, key } = envelope.parse(JSON.parse(row.document));
  const { name, id, source, createdAt, updatedAt } = row;
  return { kind, name, id, source, fingerprint, document, ...(key === undefined ? {} : { key }), createdAt, updatedAt };
}

/**
 * Writes and removes in one transaction and counts the revision up.
 * @param state what the change was planned on
 * @returns false when the configuration changed meanwhile: nothing was written
 */
export async function commitChange(
  db: D1Database,
  keyring: Keyring,
  state: ConfigState,
  writes: readonly SealedObject[],
  removals: readonly Pick<ObjectRecord, 'kind' | 'name'>[],
): Promise<boolean> {
  const rows = writes.map(toRow);
  if (!state.hasMasterKeyCheck) rows.push(masterKeyRow(await masterKeyCheck(keyring)));
  const names = removals.map(({ kind, name }) => ({ kind, name }));
  try {
    await db.batch([
      db.prepare(FIRST_REVISION),
      db.prepare(NEXT_REVISION).bind(state.revision),
      ...chunksOf(names).map((chunk) => db.prepare(DELETE_ROWS).bind(chunk)),
      ...chunksOf(rows).map((chunk) => db.prepare(UPSERT_ROWS).bind(chunk)),
    ]);
    return true;
  } catch (fault) {
    if (fault instanceof Error && fault.message.includes(LOST_RACE)) return false;
    throw fault;
  }
}

function toRow({ kind, name, id, source, fingerprint, document, key, createdAt, updatedAt }: SealedObject): Row {
  return { kind, name, id, source, document: JSON.stringify({ fingerprint, document, key }), createdAt, updatedAt };
}

function masterKeyRow(check: string): Row {
  const name = MASTER_KEY_NAME;
  return {
    kind: MASTER_KEY_KIND,
    name,
    id: MASTER_KEY_KIND,
    document: check,
    source: 'api',
    createdAt: 0,
    updatedAt: 0,
  };
}

/** JSON arrays of the items, each of a size that one bound value may have. */
function chunksOf(items: readonly unknown[]): string[] {
  const chunks: string[] = [];
  let chunk: string[] = [];
  let size = 0;
  for (const text of items.map((item) => JSON.stringify(item))) {
    if (size + text.length > CHUNK_CHARACTERS && chunk.length > 0) {
      chunks.push(`[${chunk.join()}]`);
      chunk = [];
      size = 0;
    }
    chunk.push(text);
    size += text.length;
  }
  if (chunk.length > 0) chunks.push(`[${chunk.join()}]`);
  return chunks;
}

function isObjectKind(kind: string): kind is ObjectKind {
  return Object.hasOwn(OBJECT_SCHEMAS, kind);
}
