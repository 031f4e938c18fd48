// D1 for a self-hosted gateway: answers the protocol that workerd's own D1 binding speaks, over one Durable Object whose
// SQLite database is the application's. The statements of one call are one transaction.
import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers';

/** The binding sends blobs as arrays of bytes and expects them back so. */
type Cell = string | number | null | number[];

interface Query {
  readonly sql: string;
  readonly params?: readonly Cell[];
}

interface Rows {
  readonly columns: string[];
  readonly rows: Cell[][];
  readonly meta: Record<string, string | number | boolean>;
}

interface D1Env {
  readonly DATABASE: DurableObjectNamespace<D1Database>;
}

export class D1Database extends DurableObject<D1Env> {
  run(queries: readonly Query[]): Rows[] {
    return this.ctx.storage.transactionSync(() => queries.map((query) => this.#execute(query)));
  }

  #execute({ sql, params = [] }: Query): Rows {
    const storage = this.ctx.storage.sql;
    const before = this.#counters();
    const cursor = storage.exec(sql, ...params.map(toBinding));
    const rows = Array.from(cursor.raw(), (row) => row.map(fromStored));
    const after = this.#counters();
    const changes = after.changes - before.changes;
    return {
      columns: cursor.columnNames,
      rows,
      meta: {
        served_by: 'sallyport',
        // The runtime's clock need not move while a statement runs, so no duration could be told from it.
        duration: 0,
        changes,
        last_row_id: after.lastRowId,
        changed_db: changes > 0,
        size_after: storage.databaseSize,
        rows_read: cursor.rowsRead,
        rows_written: cursor.rowsWritten,
      },
    };
  }

  #counters(): { changes: number; lastRowId: number } {
    return this.ctx.storage.sql
      .exec<{ changes: number; lastRowId: number }>(
        'SELECT total_changes() AS changes, last_insert_rowid() AS lastRowId',
      )
      .one();
  }
}

function toBinding(value: Cell): string | number | null | ArrayBuffer {
  return typeof value === 'object' && value !== null ? new Uint8Array(value).buffer : value;
}

function fromStored(value: SqlStorageValue): Cell {
  return value instanceof ArrayBuffer ? Array.from(new Uint8Array(value)) : value;
}

// Tools load entry points by their default export.
export default class D1Api extends WorkerEntrypoint<D1Env> {
  /** The binding's RPC dialect, behind workerd's compatibility flag `d1_binding_jsrpc`. */
  async query({ queries }: { readonly queries: readonly Query[] }): Promise<unknown> {
    const results = await this.#database().run(queries);
    return { results: results.map(({ columns, rows, meta }) => ({ meta, data: { kind: 'raw', columns, rows } })) };
  }

  /** The binding's HTTP dialect. A failing statement is an answer of status 200 whose `success` is false. */
  override async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (request.method !== 'POST' || (pathname !== '/query' && pathname !== '/execute')) {
      return Response.json({ success: false, error: 'not found' }, { status: 404 });
    }
    const asColumns = searchParams.get('resultsFormat') === 'ROWS_AND_COLUMNS';
    const body = await request.json<Query | readonly Query[]>();
    try {
      const results = await this.#database().run('sql' in body ? [body] : body);
      return Response.json(
        results.map(({ columns, rows, meta }) => ({
          success: true,
          results: asColumns ? { columns, rows } : rows.map((row) => toObject(columns, row)),
          meta,
        })),
      );
    } catch (error) {
      return Response.json({ success: false, error: error instanceof Error ? error.message : String(error) });
    }
  }

  #database(): DurableObjectStub<D1Database> {
    return this.env.DATABASE.getByName('sallyport');
  }
}

function toObject(columns: readonly string[], row: readonly Cell[]): Record<string, Cell | undefined> {
  return Object.fromEntries(columns.map((column, index) => [column, row[index]]));
}
