// What the command line told workerd, read back, so that the bare proxy is told the same.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeFlags } from './bare-proxy.ts';

export function runtimeFlags(dataFolder: string): RuntimeFlags {
  const run = join(dataFolder, 'run');
  const name = readdirSync(run).find((file) => file.endsWith('.capnp'));
  if (name === undefined) throw new Error(`no workerd configuration in ${run}`);
  const text = readFileSync(join(run, name), 'utf8');
  const compatibilityDate = /compatibilityDate = "([\d-]+)"/.exec(text)?.[1];
  if (compatibilityDate === undefined) throw new Error(`no compatibility date in ${name}`);
  return {
    compatibilityDate,
    compatibilityFlags: listOf(text, 'compatibilityFlags'),
    v8Flags: listOf(text, 'v8Flags'),
  };
}

function listOf(text: string, field: string): string[] {
  const items = new RegExp(`${field} = \\[([^\\]]*)\\]`).exec(text)?.[1] ?? '';
  return Array.from(items.matchAll(/"([^"]*)"/g), ([, item = '']) => item);
}
