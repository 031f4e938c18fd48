// Every file of migrations/, in order. A test holds this list against the folder.
import initial from '../../../migrations/0000_initial.sql';
import spend from '../../../migrations/0001_spend.sql';

export interface Migration {
  /** The file's name, as `wrangler d1 migrations apply` records it. */
  readonly name: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  { name: '0000_initial.sql', sql: initial },
  { name: '0001_spend.sql', sql: spend },
];
