// The D1 of a self-hosted gateway, through the runtime's own D1 binding and the generated configuration.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WORKERD } from '../../../cli/workerd/binary.ts';
import { spawnOnLeash, type Leashed } from '../../../bridge/leash.ts';
import { dataFolder, openDataFolder } from '../../../cli/data/folder.ts';
import { workerBundle } from '../../../cli/workerd/bundle.ts';
import { describeWorker, workerdConfig } from '../../../cli/workerd/config.ts';
import { eventually, freePort, newGatewayFolder, PROJECT_ROOT } from '../../support/gateway-process.ts';
import { rmSync } from 'node:fs';

// Runs the test's code with the binding; what it throws comes back as text.
const RUNNER = `
  const cases = {
    async write({ DB }) {
      await DB.exec('CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, text TEXT UNIQUE, bytes BLOB)');
      const { meta } = await DB.prepare('INSERT INTO t (text, bytes) VALUES (?, ?)').bind('one', new Uint8Array([1, 2, 255])).run();
      return { changes: meta.changes, last: meta.last_row_id, changed: meta.changed_db };
    },
    async read({ DB }) {
      const all = await DB.prepare('SELECT id, text, bytes FROM t').all();
      return {
        results: all.results,
        raw: await DB.prepare('SELECT id, text FROM t').raw({ columnNames: true }),
        first: await DB.prepare('SELECT text FROM t').first('text'),
        none: await DB.prepare('SELECT text FROM t WHERE id = ?').bind(-1).first(),
      };
    },
    async failingBatch({ DB }) {
      await DB.batch([
        DB.prepare('INSERT INTO t (text) VALUES (?)').bind('two'),
        DB.prepare('INSERT INTO t (text) VALUES (?)').bind('one'),
      ]);
    },
    async batch({ DB }) {
      const results = await DB.batch([
        DB.prepare("INSERT INTO t (text) SELECT value FROM json_each(?)").bind(JSON.stringify(['x', 'y', 'z'])),
        DB.prepare('SELECT count(*) AS rows FROM t'),
      ]);
      return [results[0].meta.changes, results[1].results];
    },
  };
  export default {
    async fetch(request, env) {
      try {
        return Response.json((await cases[new URL(request.url).pathname.slice(1)](env)) ?? null);
      } catch (error) {
        return Response.json({ error: error.message });
      }
    },
  };
  export class BudgetLedger {}
  export class McpSession {}
  export class UpstreamHealth {}
`;

describe('D1 on plain workerd', () => {
  const path = newGatewayFolder();
  let url: string;
  let runtime: Leashed;

  async function run(name: string): Promise<unknown> {
    return (await fetch(`${url}/${name}`)).json();
  }

  async function startRuntime(): Promise<void> {
    const configFile = join(dataFolder(path).run, 'workerd.capnp');
    runtime = spawnOnLeash(WORKERD, ['serve', configFile], { stdio: ['ignore', 'inherit', 'inherit'] });
    await eventually('the runtime', 10_000, () =>
      fetch(`${url}/none`).then(
        () => true,
        () => undefined,
      ),
    );
  }

  beforeAll(async () => {
    const folder = await openDataFolder(path);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const { files } = await workerBundle(PROJECT_ROOT);
    writeFileSync(join(folder.run, 'd1.js'), files.get('d1.js') ?? '');
    writeFileSync(join(folder.run, 'gateway.js'), RUNNER);
    const worker = describeWorker(readFileSync(join(PROJECT_ROOT, 'wrangler.toml'), 'utf8'));
    writeFileSync(
      join(folder.run, 'workerd.capnp'),
      workerdConfig({ folder, host: '127.0.0.1', port, allowedHosts: undefined, bridgePort: 1, worker }),
    );
    await startRuntime();
  });

  afterAll(async () => {
    await runtime?.stop(0);
    rmSync(path, { recursive: true, force: true });
  });

  it('writes, and says what it changed', async () => {
    expect(await run('write')).toEqual({ changes: 1, last: 1, changed: true });
  });

  it('reads in every shape, blobs too', async () => {
    expect(await run('read')).toEqual({
      results: [{ id: 1, text: 'one', bytes: [1, 2, 255] }],
      raw: [
        ['id', 'text'],
        [1, 'one'],
      ],
      first: 'one',
      none: null,
    });
  });

  it('undoes all of a batch of which one statement fails, and says which rule it broke', async () => {
    expect(await run('failingBatch')).toEqual({
      error: expect.stringMatching(/^D1_ERROR: UNIQUE constraint failed: t\.text/) as string,
    });
    expect(await run('batch')).toEqual([3, [{ rows: 4 }]]);
  });

  it('keeps what was answered through a kill -9', async () => {
    await runtime.stop(0);
    await startRuntime();
    expect(await run('read')).toMatchObject({ first: 'one' });
  });
});
