// The file itself: written at a first start, watched while the gateway runs.
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../../../cli/config/load.ts';
import { writeStarter } from '../../../cli/config/starter.ts';
import { watchFile } from '../../../cli/config/watch.ts';
import { eventually } from '../../support/gateway-process.ts';
import { temporaryFolder } from './run-cli.ts';

const keyIn = (file: string): string | undefined => /key: (vk-\S+)/.exec(readFileSync(file, 'utf8'))?.[1];

function watched(): { file: string; seen: string[] } {
  const file = join(temporaryFolder(), 'sallyport.yaml');
  writeFileSync(file, 'one');
  const seen: string[] = [];
  const watch = watchFile(file, 'one', async (text) => void seen.push(text));
  onTestFinished(() => watch.stop());
  return { file, seen };
}

describe('the starter configuration', () => {
  it('loads without a warning and grants one generated key what is there', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'sallyport.yaml');
    await writeStarter(file);
    const parsed = parseConfig(readFileSync(file, 'utf8'), {});
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    const { document, warnings } = parsed.value;
    expect(warnings).toEqual([]);
    expect(document.mcp.servers.map(({ name }) => name)).toEqual(['filesystem', 'everything']);
    expect(document.providers.map(({ name }) => name)).toEqual(['echo']);
    expect(document.virtual_keys).toHaveLength(1);
    expect(document.virtual_keys[0]?.key).toMatch(/^vk-[\w-]{32}$/);
    expect(readFileSync(join(folder, 'workspace', 'welcome.txt'), 'utf8')).toMatch(/folder/);
    // It holds a key.
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
  });

  it('has another key each time, and overwrites nothing', async () => {
    const [first, second] = [join(temporaryFolder(), 'a.yaml'), join(temporaryFolder(), 'b.yaml')];
    await writeStarter(first);
    await writeStarter(second);
    expect(keyIn(first)).not.toBe(keyIn(second));
    await expect(writeStarter(first)).rejects.toThrow('EEXIST');
  });
});

describe('watching the file', () => {
  it('sees a write, a replacement by rename, and the next change after it', async () => {
    const { file, seen } = watched();
    writeFileSync(file, 'two');
    await eventually('the write', 5_000, () => (seen.includes('two') ? true : undefined));
    const replacement = join(file, '..', `${basename(file)}.tmp`);
    writeFileSync(replacement, 'three');
    renameSync(replacement, file);
    await eventually('the replacement', 5_000, () => (seen.includes('three') ? true : undefined));
    writeFileSync(file, 'four');
    await eventually('the write after it', 5_000, () => (seen.includes('four') ? true : undefined));
    expect(seen).toEqual(['two', 'three', 'four']);
  });

  it('takes several writes in a row for one change, and a touch for none', async () => {
    const { file, seen } = watched();
    writeFileSync(file, '');
    writeFileSync(file, 'half');
    writeFileSync(file, 'whole');
    await eventually('the change', 5_000, () => (seen.length > 0 ? true : undefined));
    writeFileSync(file, 'whole');
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
    expect(seen).toEqual(['whole']);
  });
});
