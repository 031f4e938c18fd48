// The worker as the runtime loads it. Built once and kept under `.cache/`; built again when any of its sources changed.
import type { BuildOptions } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** How esbuild makes a module of a worker that workerd runs as it is. */
export const WORKERD_BUILD = {
  bundle: true,
  format: 'esm',
  target: 'es2024',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  conditions: ['workerd', 'worker', 'browser'],
  external: ['cloudflare:*', 'node:*'],
  loader: { '.sql': 'text' },
} satisfies BuildOptions;

/** Output name → entry point. */
const ENTRY_POINTS = { gateway: 'src/index.ts', d1: fileURLToPath(new URL('./d1.worker.ts', import.meta.url)) };
/** Part of what a bundle is made of, although no bundle holds them. */
const BUILD_INPUTS = [import.meta.filename, 'package-lock.json'];
const OUTPUTS = ['gateway.js', 'gateway.js.map', 'd1.js', 'd1.js.map'] as const;

const manifestSchema = z.object({
  inputs: z.record(z.string(), z.string()),
  outputs: z.record(z.string(), z.string()),
});
type Manifest = z.output<typeof manifestSchema>;

export interface WorkerBundle {
  /** File name → content. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly builtNow: boolean;
  /** Why it could not be kept for the next start. */
  readonly notKept?: string;
}

/** @param project the folder of package.json */
export async function workerBundle(project: string, cache = join(project, '.cache', 'worker')): Promise<WorkerBundle> {
  const cached = await readCached(project, cache);
  if (cached !== undefined) return { files: cached, builtNow: false };
  const startedAt = Date.now();
  const built = await build(project, cache);
  const { files } = built;
  try {
    await keep(project, cache, built, startedAt);
    return { files, builtNow: true };
  } catch (error) {
    // A project that cannot be written to, as in a container, starts slower and no worse.
    return { files, builtNow: true, notKept: error instanceof Error ? error.message : String(error) };
  }
}

async function readCached(project: string, cache: string): Promise<ReadonlyMap<string, Buffer> | undefined> {
  try {
    const manifest = manifestSchema.parse(JSON.parse(await readFile(join(cache, 'manifest.json'), 'utf8')));
    const changed = await Promise.all(
      Object.entries(manifest.inputs).map(
        async ([file, digest]) => sha256(await readFile(resolve(project, file))) !== digest,
      ),
    );
    if (changed.includes(true)) return undefined;
    const files = await readOutputs(cache);
    // Another process may have been writing while this one read.
    return OUTPUTS.every((name) => manifest.outputs[name] === sha256(files.get(name) ?? '')) ? files : undefined;
  } catch {
    // Nothing cached, or nothing that can be used: a build makes it whole again.
    return undefined;
  }
}

async function readOutputs(cache: string): Promise<ReadonlyMap<string, Buffer>> {
  return new Map(await Promise.all(OUTPUTS.map(async (name) => [name, await readFile(join(cache, name))] as const)));
}

interface Built {
  readonly files: ReadonlyMap<string, Buffer>;
  /** Source files, relative to the project. */
  readonly inputs: readonly string[];
}

async function build(project: string, cache: string): Promise<Built> {
  // Loaded only here: a start from the cache does not pay for it.
  const esbuild = await import('esbuild');
  const result = await esbuild
    .build({
      absWorkingDir: project,
      entryPoints: ENTRY_POINTS,
      outdir: cache,
      ...WORKERD_BUILD,
      write: false,
      metafile: true,
      sourcemap: 'linked',
      logLevel: 'silent',
    })
    // It would keep a process running for builds to come.
    .finally(() => esbuild.stop());
  return {
    files: new Map(result.outputFiles.map((file) => [relative(cache, file.path), Buffer.from(file.contents)])),
    inputs: [...Object.keys(result.metafile.inputs), ...BUILD_INPUTS],
  };
}

async function keep(project: string, cache: string, { files, inputs }: Built, startedAt: number): Promise<void> {
  const digests = inputs.map(async (name) => {
    const file = resolve(project, name);
    // What was built may be of the source before.
    if ((await stat(file)).mtimeMs >= startedAt) throw new Error(`${name} changed during the build`);
    return [name, sha256(await readFile(file))] as const;
  });
  const manifest: Manifest = {
    inputs: Object.fromEntries(await Promise.all(digests)),
    outputs: Object.fromEntries(Array.from(files, ([name, content]) => [name, sha256(content)])),
  };
  await mkdir(cache, { recursive: true });
  // The manifest last: until it is there, what is beside it counts for nothing.
  for (const [name, content] of [...files, ['manifest.json', Buffer.from(JSON.stringify(manifest))] as const]) {
    const temporary = join(cache, `${name}.${process.pid}`);
    await writeFile(temporary, content);
    await rename(temporary, join(cache, name));
  }
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
