import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

/** Editors write a file in several steps. */
const SETTLE_MS = 200;

export interface FileWatch {
  stop(): void;
}

/**
 * Calls `onChange` when the content of the file is another than before, one call at a time.
 * The folder is watched, not the file: editors replace files, and a watch on a replaced file sees nothing more.
 * @param content what the file held when it was last read
 */
export function watchFile(file: string, content: string, onChange: (content: string) => Promise<void>): FileWatch {
  let last = content;
  let timer: NodeJS.Timeout | undefined;
  let turn = Promise.resolve();
  const look = async (): Promise<void> => {
    // Between the removal and the return of a file there is none; its return is another event.
    const now = await readFile(file, 'utf8').catch(() => last);
    if (now === last) return;
    last = now;
    await onChange(now);
  };
  const watcher = watch(dirname(file), (_event, name) => {
    // Another name may still be this file's: a mounted configuration changes by a link beside it. But what goes on in the
    // folder all the time must not put the reading off for ever.
    if (name !== null && name !== basename(file) && timer !== undefined) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      turn = turn.then(look);
    }, SETTLE_MS);
  });
  return {
    stop() {
      clearTimeout(timer);
      watcher.close();
    },
  };
}
