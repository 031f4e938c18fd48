// The tool definitions that a server's clients may have: what was pinned, what is listed now, what is withheld.
import type { Tool } from '@modelcontextprotocol/client';
import type { DefinitionCounts } from '../src/health/report.ts';
import type { Catalog } from '../src/mcp/ports.ts';
import { newId } from '../src/lib/ids.ts';
import { pinnedPart, type ToolDefinition } from '../src/trust/definition.ts';
import { diffDefinitions } from '../src/trust/diff.ts';
import { definitionApproved, definitionChanged } from '../src/trust/events.ts';
import type { ApprovalConflict, ApprovalOutcome, ApprovalRequest, DefinitionsReport } from '../src/trust/ports.ts';
import { standingOf, type Approval, type Standing, type TrustPolicy } from '../src/trust/standing.ts';
import type { Vetted, Vetting } from '../src/trust/vetting.ts';
import { DEFINITION_EVENT_TABLE, DefinitionEvents } from './definition-events.ts';
import { countDefinitions, pinnedDefinition, reportDefinitions } from './definition-report.ts';
import type { ObjectDatabase } from './sqlite.ts';

export const DEFINITION_TABLES = `
  CREATE TABLE pins (name TEXT PRIMARY KEY, hash TEXT NOT NULL, definition TEXT NOT NULL, approval TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL, approved_at INTEGER NOT NULL, gone_since INTEGER) STRICT;
  CREATE TABLE listed (name TEXT PRIMARY KEY, hash TEXT NOT NULL, since INTEGER NOT NULL, findings TEXT NOT NULL,
    alarms INTEGER NOT NULL, withheld TEXT, tool TEXT) STRICT;
  CREATE TABLE listing (id INTEGER PRIMARY KEY CHECK (id = 1), server TEXT NOT NULL, fingerprint TEXT NOT NULL,
    mark TEXT NOT NULL, policy TEXT NOT NULL) STRICT;
  ${DEFINITION_EVENT_TABLE}`;

/** Names that a server lists no more are remembered so many; who comes back after that is new. */
const MAX_GONE = 5_000;

type PinRow = { name: string; hash: string; approval: Approval };
type ListedRow = { name: string; hash: string; findings: string; withheld: NonNullable<Standing['withheld']> | null };
type WithheldRow = ListedRow & { since: number; tool: string };

interface Listing {
  readonly server: string;
  /** As listed. */
  readonly fingerprint: string;
  /** Tells apart what is withheld of it; empty when nothing is. */
  readonly mark: string;
  readonly policy: TrustPolicy;
}

export interface Approved {
  readonly outcome: ApprovalOutcome;
  /** What clients have from now on beside the tools they had. */
  readonly released: readonly Tool[];
  /** Of the catalog with what is released. */
  readonly fingerprint?: string;
}

export class DefinitionPins {
  readonly events: DefinitionEvents;
  readonly #database: ObjectDatabase;
  #counts: DefinitionCounts | undefined;

  constructor(database: ObjectDatabase) {
    this.#database = database;
    this.events = new DefinitionEvents(database);
  }

  /**
   * Takes over a listing and answers with what of it clients may have. All of it or, should it fail, nothing lasts.
   * @param now milliseconds since the epoch
   */
  learn(server: string, listed: Catalog, vetting: Vetting, now: number): Catalog {
    this.#counts = undefined;
    return this.#database.transaction(() => {
      const isFirst = this.#database.first('SELECT 1 FROM listing') === undefined;
      const pins = byName(this.#database.all<PinRow>('SELECT name, hash, approval FROM pins'));
      const before = byName(this.#database.all<ListedRow>('SELECT name, hash, findings, withheld FROM listed'));
      const names = new Set<string>();
      const tools: Tool[] = [];
      for (const [index, tool] of listed.tools.entries()) {
        const vetted = vetting.definitions[index];
        // Of two tools with one name the first is the one that is called.
        if (vetted === undefined || names.has(tool.name)) continue;
        names.add(tool.name);
        const pin = isFirst ? 'unseen' : pins.get(tool.name);
        const standing = standingOf(vetted, pin, vetting);
        if (standing.withheld === undefined) tools.push(tool);
        this.#announce(server, tool, standing, before.get(tool.name)?.hash !== vetted.hash, now);
        if (standing.pinnedBy !== undefined) this.#pin(pinnedPart(tool), vetted.hash, standing.pinnedBy, now);
        this.#list(tool, vetted, standing, before.get(tool.name), now);
      }
      this.#forgetUnlisted(before, names, now);
      const fingerprint = this.#mark(server, listed.fingerprint, vetting, before);
      return { ...listed, tools, fingerprint };
    });
  }

  /** Pins what waits, or what is named. All of it lasts, or nothing. */
  approve(request: ApprovalRequest, now: number): Approved {
    this.#counts = undefined;
    return this.#database.transaction(() => {
      const listing = this.#listing();
      const rows = byName(this.#database.all<WithheldRow>('SELECT * FROM listed'));
      const asked = request.tools ?? [...rows.values()].filter(({ withheld }) => isChange(withheld));
      const conflicts = asked.flatMap(({ name, hash }): ApprovalConflict[] => {
        const row = rows.get(name);
        if (row === undefined) return [{ name, reason: 'not_listed' }];
        return hash === undefined || hash === row.hash ? [] : [{ name, reason: 'changed' }];
      });
      if (listing === undefined || conflicts.length > 0) return { outcome: { ok: false, conflicts }, released: [] };
      const approval = request.tools === undefined ? 'all' : 'name';
      const approved = [...new Set(asked.map(({ name }) => name))].flatMap((name) => rows.get(name) ?? []);
      const released = approved.flatMap((row) => this.#approveOne(row, approval, listing, request, now));
      const outcome = { ok: true, approved: approved.map(({ name, hash }) => ({ name, hash })) } as const;
      return released.length === 0 ? { outcome, released } : { outcome, released, fingerprint: this.#remark(listing) };
    });
  }

  report(): DefinitionsReport {
    const listing = this.#listing();
    return { ...reportDefinitions(this.#database), ...(listing === undefined ? {} : { policy: listing.policy }) };
  }

  counts(): DefinitionCounts {
    this.#counts ??= countDefinitions(this.#database);
    return this.#counts;
  }

  /** An event of a change that passed each time, of one that is withheld once for what is listed. */
  #announce(server: string, tool: Tool, { change, withheld }: Standing, isFresh: boolean, now: number): void {
    if (change === undefined || (withheld === change && !isFresh)) return;
    const before = change === 'new' ? undefined : pinnedDefinition(this.#database, tool.name);
    const { fields } = diffDefinitions(before, pinnedPart(tool));
    this.events.add(definitionChanged({ server, tool: tool.name }, { change, withheld, fields }, now));
  }

  #pin(definition: ToolDefinition, hash: string, approval: Approval, now: number): void {
    this.#database.run(
      `INSERT INTO pins (name, hash, definition, approval, first_seen_at, approved_at) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, definition = excluded.definition,
         approval = excluded.approval, approved_at = excluded.approved_at`,
      definition.name,
      hash,
      JSON.stringify(definition),
      approval,
      now,
      now,
    );
  }

  #list(tool: Tool, { hash, findings }: Vetted, { withheld }: Standing, before: ListedRow | undefined, now: number) {
    if (before === undefined) this.#database.run('UPDATE pins SET gone_since = NULL WHERE name = ?', tool.name);
    const told = JSON.stringify(findings);
    const isSame = before?.hash === hash && before.findings === told && before.withheld === (withheld ?? null);
    if (isSame) return;
    const alarms = findings.filter(({ severity }) => severity !== 'low').length;
    const whole = withheld === undefined ? null : JSON.stringify(tool);
    this.#database.run(
      `INSERT INTO listed (name, hash, since, findings, alarms, withheld, tool) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET since = iif(hash = excluded.hash, since, excluded.since), hash = excluded.hash,
         findings = excluded.findings, alarms = excluded.alarms, withheld = excluded.withheld, tool = excluded.tool`,
      tool.name,
      hash,
      now,
      told,
      alarms,
      withheld ?? null,
      whole,
    );
  }

  #forgetUnlisted(before: ReadonlyMap<string, ListedRow>, names: ReadonlySet<string>, now: number): void {
    const gone = [...before.keys()].filter((name) => !names.has(name));
    for (const name of gone) {
      this.#database.run('DELETE FROM listed WHERE name = ?', name);
      this.#database.run('UPDATE pins SET gone_since = ? WHERE name = ?', now, name);
    }
    if (gone.length === 0) return;
    this.#database.run(
      `DELETE FROM pins WHERE gone_since IS NOT NULL AND name NOT IN
         (SELECT name FROM pins WHERE gone_since IS NOT NULL ORDER BY gone_since DESC LIMIT ?)`,
      MAX_GONE,
    );
  }

  #approveOne(
    { name, hash, findings, withheld, tool }: WithheldRow,
    approval: Approval,
    listing: Listing,
    { requestId }: ApprovalRequest,
    now: number,
  ): Tool[] {
    const pin = this.#database.first<PinRow>('SELECT name, hash, approval FROM pins WHERE name = ?', name);
    if (pin?.hash === hash && pin.approval === approval) return [];
    this.events.add(definitionApproved({ server: listing.server, tool: name }, { hash, requestId }, now));
    if (withheld === null) {
      this.#database.run('UPDATE pins SET approval = ?, approved_at = ? WHERE name = ?', approval, now, name);
      return [];
    }
    const definition: Tool = JSON.parse(tool);
    this.#pin(pinnedPart(definition), hash, approval, now);
    const standing = standingOf({ hash, findings: JSON.parse(findings) }, { hash, approval }, listing.policy);
    const left = standing.withheld ?? null;
    this.#database.run('UPDATE listed SET withheld = ?, tool = ? WHERE name = ?', left, left && tool, name);
    return left === null ? [definition] : [];
  }

  /** Of the listing and what is withheld of it: the same for the same tools, another for others. */
  #mark(server: string, fingerprint: string, { trust, scan }: Vetting, before: ReadonlyMap<string, ListedRow>): string {
    const withheld = this.#database.all<{ name: string; hash: string }>(
      'SELECT name, hash FROM listed WHERE withheld IS NOT NULL ORDER BY name',
    );
    const withheldBefore = [...before.values()].filter((row) => row.withheld !== null);
    const isSame =
      withheld.length === withheldBefore.length &&
      withheld.every(({ name, hash }) => {
        const row = before.get(name);
        return row?.hash === hash && row.withheld !== null;
      });
    const kept = isSame ? this.#listing()?.mark : undefined;
    const mark = withheld.length === 0 ? '' : (kept ?? newId('w', 0));
    const policy: TrustPolicy = { trust, scan };
    this.#database.run(
      'INSERT OR REPLACE INTO listing (id, server, fingerprint, mark, policy) VALUES (1, ?, ?, ?, ?)',
      server,
      fingerprint,
      mark,
      JSON.stringify(policy),
    );
    return combined({ fingerprint, mark });
  }

  #remark(listing: Listing): string {
    const mark = countDefinitions(this.#database).withheld === 0 ? '' : newId('w', 0);
    this.#database.run('UPDATE listing SET mark = ?', mark);
    return combined({ ...listing, mark });
  }

  #listing(): Listing | undefined {
    const row = this.#database.first<{ server: string; fingerprint: string; mark: string; policy: string }>(
      'SELECT server, fingerprint, mark, policy FROM listing',
    );
    return row && { ...row, policy: JSON.parse(row.policy) };
  }
}

function byName<R extends { readonly name: string }>(rows: readonly R[]): Map<string, R> {
  return new Map(rows.map((row) => [row.name, row]));
}

function isChange(withheld: Standing['withheld'] | null): boolean {
  return withheld === 'new' || withheld === 'changed';
}

function combined({ fingerprint, mark }: Pick<Listing, 'fingerprint' | 'mark'>): string {
  return mark === '' ? fingerprint : `${fingerprint}.${mark}`;
}
