import { DatabaseSync } from 'node:sqlite';
import { Complaint } from '../complaint.ts';
import type { DataFolder } from './folder.ts';

export interface FolderLock {
  release(): void;
}

/** A database nobody refers to is closed by the garbage collector, and its lock with it. */
const held = new Set<DatabaseSync>();

/**
 * Keeps a second gateway off the folder: two runtimes on the same files would each believe to be the only one.
 * SQLite's exclusive lock is the kernel's, so it goes when the process does, however it ends.
 * @throws Complaint when another process holds it
 */
export function lockDataFolder(folder: DataFolder): FolderLock {
  const database = new DatabaseSync(folder.lock);
  try {
    database.exec('PRAGMA journal_mode = DELETE; PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked|busy/i.test(error.message)) {
      throw new Complaint(
        `the data folder ${folder.path} is in use by another sallyport: stop that one or give --data another folder`,
      );
    }
    throw error;
  }
  held.add(database);
  return {
    release() {
      held.delete(database);
      database.close();
    },
  };
}
