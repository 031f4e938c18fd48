import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { workerBundle } from '../../../cli/workerd/bundle.ts';
import { temporaryFolder } from './run-cli.ts';

/** As of a minute ago: a source that is younger than its build is not trusted. */
function write(file: string, text: string): void {
  writeFileSync(file, text);
  const then = Date.now() / 1000 - 60;
  utimesSync(file, then, then);
}

/** The least that has the layout of this project. */
function smallProject(): string {
  const project = temporaryFolder();
  const files = {
    'src/index.ts': "import { word } from './word.ts';\nimport sql from './a.sql';\nexport default { word, sql };\n",
    'src/word.ts': "export const word: string = 'first';\n",
    'src/a.sql': 'SELECT 1;\n',
    'package-lock.json': '{}',
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(project, dirname(file)), { recursive: true });
    write(join(project, file), text);
  }
  return project;
}

describe('the worker bundle', () => {
  it('is built once and then read', async () => {
    const project = smallProject();
    const built = await workerBundle(project);
    expect(built.builtNow).toBe(true);
    expect([...built.files.keys()].toSorted()).toEqual(['d1.js', 'd1.js.map', 'gateway.js', 'gateway.js.map']);
    expect(String(built.files.get('gateway.js'))).toMatch(/first[^]*SELECT 1;/);
    expect(String(built.files.get('d1.js'))).toContain('from "cloudflare:workers"');
    const read = await workerBundle(project);
    expect(read.builtNow).toBe(false);
    expect(Object.fromEntries(read.files)).toEqual(Object.fromEntries(built.files));
  });

  it.each(['src/word.ts', 'src/a.sql', 'package-lock.json'])('is built again when %s changed', async (file) => {
    const project = smallProject();
    await workerBundle(project);
    writeFileSync(join(project, file), `${readFileSync(join(project, file), 'utf8')}\n`);
    expect((await workerBundle(project)).builtNow).toBe(true);
    expect((await workerBundle(project)).builtNow).toBe(false);
  });

  it('is built again when what is cached is not what was built', async () => {
    const project = smallProject();
    await workerBundle(project);
    writeFileSync(join(project, '.cache/worker/gateway.js'), 'something else');
    const { builtNow, files } = await workerBundle(project);
    expect(builtNow).toBe(true);
    expect(String(files.get('gateway.js'))).toContain('first');
  });

  it('serves although it cannot be kept, and says so', async () => {
    const project = smallProject();
    writeFileSync(join(project, '.cache'), 'a file where a folder must be');
    const { builtNow, notKept, files } = await workerBundle(project);
    expect(builtNow).toBe(true);
    expect(notKept).toMatch(/ENOTDIR|EEXIST/);
    expect(files.size).toBe(4);
  });

  it('is not kept when a source changed while it was built', async () => {
    const project = smallProject();
    const later = Date.now() / 1000 + 60;
    utimesSync(join(project, 'src/word.ts'), later, later);
    expect((await workerBundle(project)).notKept).toBe('src/word.ts changed during the build');
    expect((await workerBundle(project)).builtNow).toBe(true);
  });
});
