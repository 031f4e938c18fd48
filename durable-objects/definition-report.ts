// What an operator reads of a server's definitions before approving any.
import type { DefinitionCounts } from '../src/health/report.ts';
import { pinnedPart, type ToolDefinition } from '../src/trust/definition.ts';
import { diffDefinitions, type DefinitionDiff } from '../src/trust/diff.ts';
import type { Finding } from '../src/trust/finding.ts';
import type { DefinitionsReport, PinnedDefinition } from '../src/trust/ports.ts';
import type { Change } from '../src/trust/standing.ts';
import type { ObjectDatabase } from './sqlite.ts';

/** Of all differences together: an answer must fit into one message between objects. */
const MAX_FIELDS = 5_000;

export function reportDefinitions(database: ObjectDatabase): Omit<DefinitionsReport, 'policy'> {
  const pinned = database.all<PinnedDefinition & Record<string, string | number | null>>(
    `SELECT name, hash, approval, first_seen_at AS firstSeenAt, approved_at AS approvedAt, gone_since AS goneSince
     FROM pins ORDER BY name`,
  );
  const rows = database.all<{ name: string; hash: string; since: number; reason: Change | 'finding'; tool: string }>(
    'SELECT name, hash, since, withheld AS reason, tool FROM listed WHERE withheld IS NOT NULL ORDER BY name',
  );
  let fieldsLeft = MAX_FIELDS;
  const diffOf = (name: string, tool: string): DefinitionDiff => {
    const { fields, incomplete } = diffDefinitions(pinnedDefinition(database, name), pinnedPart(JSON.parse(tool)));
    const shown = fields.slice(0, fieldsLeft);
    fieldsLeft -= shown.length;
    return { fields: shown, incomplete: incomplete || shown.length < fields.length };
  };
  const withheld = rows.map(({ name, hash, since, reason, tool }) => {
    const diff = reason === 'finding' ? { fields: [], incomplete: false } : diffOf(name, tool);
    return { name, hash, since, reason, diff };
  });
  const found = database.all<{ findings: string }>("SELECT findings FROM listed WHERE findings <> '[]' ORDER BY name");
  return { pinned, withheld, findings: found.flatMap((row): Finding[] => JSON.parse(row.findings)) };
}

export function countDefinitions(database: ObjectDatabase): DefinitionCounts {
  const counted = database.first<DefinitionCounts & Record<string, number>>(
    `SELECT count(withheld) AS withheld, coalesce(sum(withheld IN ('new', 'changed')), 0) AS pending,
       coalesce(sum(alarms), 0) AS findings FROM listed`,
  );
  return counted ?? { withheld: 0, pending: 0, findings: 0 };
}

/** As it was approved, whole; undefined when nothing is pinned under the name. */
export function pinnedDefinition(database: ObjectDatabase, name: string): ToolDefinition | undefined {
  const row = database.first<{ definition: string }>('SELECT definition FROM pins WHERE name = ?', name);
  return row && JSON.parse(row.definition);
}
