// The rules of docs/architecture.md, derived from the sources themselves, so that no lint setting can weaken them.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const MAX_LINES = 400;

const RANKS: readonly (readonly [room: RegExp, rank: number])[] = [
  [/^src\/lib\//, 0],
  [/^src\/(auth|policy|budget|health|audit|config|trust)\//, 1],
  [/^src\/(egress|stores)\//, 2],
  [/^durable-objects\//, 2],
  [/^src\/(mcp|llm|codemode)\//, 3],
  [/^src\/http\//, 4],
  [/^src\/[^/]+\.ts$/, 5],
];
const ENGINES = ['mcp', 'llm', 'codemode'];

interface Source {
  readonly path: string;
  readonly text: string;
  /** Imports that exist at run time; `import type` is erased and may point anywhere. */
  readonly imports: readonly string[];
}

const IMPORT =
  /^\s*(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

function readSources(...patterns: string[]): Source[] {
  return patterns
    .flatMap((pattern) => globSync(pattern, { cwd: ROOT }))
    .filter((path) => !path.endsWith('.d.ts'))
    .toSorted()
    .map((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      const imports = [...text.matchAll(IMPORT)].map((match) => {
        const specifier = match[1] ?? match[2] ?? '';
        return specifier.startsWith('.') ? relative(ROOT, join(ROOT, dirname(path), specifier)) : specifier;
      });
      return { path, text, imports };
    });
}

const worker = readSources('src/**/*.ts', 'durable-objects/*.ts');
const everything = [
  ...worker,
  ...readSources('bridge/**/*.ts', 'cli/**/*.{ts,mjs}', 'bench/**/*.ts', 'test/**/*.ts', '*.config.ts'),
];

function rankOf(path: string): number | undefined {
  return RANKS.find(([room]) => room.test(path))?.[1];
}

function offenders(sources: readonly Source[], isOffender: (source: Source) => boolean): string[] {
  return sources.filter(isOffender).map((source) => source.path);
}

describe('architecture', () => {
  it('finds the sources it judges', () => {
    for (const [room] of RANKS.filter(([pattern]) => !pattern.source.includes('codemode')))
      expect(
        worker.some((source) => room.test(source.path)),
        String(room),
      ).toBe(true);
    expect(worker.length).toBeGreaterThan(50);
    expect(worker.flatMap((source) => source.imports).length).toBeGreaterThan(100);
  });

  it('gives every source of the worker a rank', () => {
    expect(offenders(worker, (source) => rankOf(source.path) === undefined)).toEqual([]);
  });

  it('imports downward only', () => {
    const upward = worker.flatMap((source) =>
      source.imports
        .filter((target) => (rankOf(target) ?? 0) > (rankOf(source.path) ?? 0))
        .map((target) => `${source.path} → ${target}`),
    );
    expect(upward).toEqual([]);
  });

  it('keeps the engines apart, and away from the stores', () => {
    const crossings = worker.flatMap((source) => {
      const own = ENGINES.find((engine) => source.path.startsWith(`src/${engine}/`));
      if (own === undefined) return [];
      return source.imports
        .filter((target) =>
          [...ENGINES.filter((engine) => engine !== own), 'stores'].some((room) => target.startsWith(`src/${room}/`)),
        )
        .map((target) => `${source.path} → ${target}`);
    });
    expect(crossings).toEqual([]);
  });

  it('has no import cycle', () => {
    const byPath = new Map(everything.map((source) => [source.path, source]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      if (done.has(path) || trail.includes(path)) return;
      for (const target of byPath.get(path)?.imports ?? []) visit(target, [...trail, path]);
      done.add(path);
    };
    for (const path of byPath.keys()) visit(path, []);
    expect(cycles).toEqual([]);
  });

  it('calls fetch in egress only', () => {
    const callsFetch = /(?<![\w.$])fetch\(|globalThis\.fetch|\.(?:BRIDGE|OPERATOR_NETWORK)\b/;
    const outside = worker.filter((source) => !source.path.startsWith('src/egress/'));
    expect(offenders(outside, (source) => callsFetch.test(source.text))).toEqual([]);
    expect(worker.some((source) => source.path.startsWith('src/egress/') && callsFetch.test(source.text))).toBe(true);
  });

  it('keeps Hono at the edge', () => {
    const inner = worker.filter((source) => !source.path.startsWith('src/http/') && source.path !== 'src/app.ts');
    expect(offenders(inner, (source) => /from 'hono/.test(source.text))).toEqual([]);
  });

  it('keeps clocks and chance out of the pure rooms', () => {
    const pure = worker.filter((source) => (rankOf(source.path) ?? 9) <= 1);
    expect(
      offenders(pure, (source) => /\bDate\.now\(|\bMath\.random\(|new Date\(\)|performance\.now\(/.test(source.text)),
    ).toEqual([]);
  });

  it('keeps the runtimes apart', () => {
    expect(offenders(worker, (source) => source.imports.some((target) => target.startsWith('node:')))).toEqual([]);
    const node = everything.filter((source) => /^(bridge|cli)\/(?!.*\.worker\.ts$)/.test(source.path));
    expect(node.length).toBeGreaterThan(10);
    expect(offenders(node, (source) => source.imports.some((target) => target.startsWith('cloudflare:')))).toEqual([]);
    const bridge = node.filter((source) => source.path.startsWith('bridge/'));
    expect(offenders(bridge, (source) => source.imports.some((target) => /^(src|cli)\//.test(target)))).toEqual([]);
  });

  it('calls itself by one version', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const product = everything.find((source) => source.path === 'src/lib/product.ts');
    expect(product?.text).toContain(`version: '${version}'`);
    const others = worker.filter((source) => source !== product);
    expect(offenders(others, (source) => source.text.includes(`'${version}'`))).toEqual([]);
  });

  it('keeps every file to one readable subject', () => {
    const long = everything
      .filter((source) => source.text.split('\n').length - 1 > MAX_LINES)
      .map((source) => source.path);
    expect(long).toEqual([]);
  });
});
