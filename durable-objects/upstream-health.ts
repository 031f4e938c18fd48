import { DurableObject } from 'cloudflare:workers';
import { CONFIG_PAYER } from '../src/audit/recorder.ts';
import type { Env } from '../src/env.ts';
import { healthReport, observe } from '../src/health/condition.ts';
import type { HealthReport } from '../src/health/report.ts';
import { nextProbeAt } from '../src/health/schedule.ts';
import { describeFault, log } from '../src/lib/log.ts';
import type { CallOutcome, Catalog } from '../src/mcp/ports.ts';
import type { ApprovalOutcome, ApprovalRequest, DefinitionsReport } from '../src/trust/ports.ts';
import type { HealthSubject, ProbeResult, UpstreamHealthRpc, UpstreamProberRpc } from './contracts.ts';
import { DefinitionPins } from './definition-pins.ts';
import { UpstreamRecord } from './upstream-record.ts';

/** In between, a probe only asks for a sign of life. */
const LISTING_INTERVAL_MS = 60_000;
/** An upgraded server still answers the legacy handshake, so that verdict is doubted once a day. */
const LEGACY_VERDICT_MS = 24 * 3_600_000;
/** How far the stored time of use may lag behind the true one. */
const USE_LAG_MS = 60_000;
/** When events that the audit could not take are offered again, at the latest. */
const EVENTS_RETRY_MS = 30_000;

type ListingResult = Pick<Extract<ProbeResult, { ok: true }>, 'catalog' | 'vetting'>;

interface Probing {
  readonly listing: boolean;
  /** Until the one before it has ended. */
  waiting: boolean;
  readonly done: Promise<void>;
}

/**
 * One per upstream. Probes it while it is in use, keeps what it offered when last well, and sleeps when nobody uses it.
 * Reads are answered from memory: only the first discovery, or a refresh, is waited for, and never past its deadline.
 */
export class UpstreamHealth extends DurableObject<Env> implements UpstreamHealthRpc {
  readonly #record: UpstreamRecord;
  #pins: DefinitionPins;
  /** Promises may be awaited by any request of the same object. */
  #probing: Probing | undefined;
  #nextCheckAt: number | undefined;
  #usedAtSaved = 0;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#record = new UpstreamRecord(state.storage);
    this.#pins = new DefinitionPins(this.#record.database);
    this.#usedAtSaved = this.#record.body.lastUsedAt;
    void state.blockConcurrencyWhile(async () => {
      this.#nextCheckAt = (await state.storage.getAlarm()) ?? undefined;
    });
  }

  async view(
    subject: HealthSubject,
    { deadlineMs, refresh, knownCatalog }: Parameters<UpstreamHealthRpc['view']>[1],
  ): ReturnType<UpstreamHealthRpc['view']> {
    await this.#use(subject);
    const untried = this.#record.body.condition.checkedAt === undefined;
    if (!subject.disabled && (untried || refresh)) {
      // A listing under way may have missed what whoever asks for another has heard of.
      await this.#within(deadlineMs, this.#probe(true, { afresh: refresh && !untried }));
    }
    const { catalog, listedAt } = this.#record.body;
    const catalogUnchanged = catalog !== undefined && catalog.fingerprint === knownCatalog;
    const health = this.#report();
    if (catalog === undefined) return { health, catalogUnchanged };
    return { health, listedAt, catalogUnchanged, ...(!catalogUnchanged && { catalog }) };
  }

  async peek(): Promise<HealthReport> {
    return this.#report();
  }

  async retire(): Promise<void> {
    // The prober answers `gone`, and tells the bridge. An object that was never used has nothing to forget.
    if (this.#record.body.subject !== undefined) await this.#probe(true);
  }

  async report(subject: HealthSubject, outcome: CallOutcome): Promise<void> {
    await this.#use(subject);
    const { condition } = this.#record.body;
    if (outcome.ok && condition.failures === 0 && !condition.needsAuth) return;
    const observation = outcome.ok
      ? ({ source: 'call', ok: true, latencyMs: outcome.latencyMs } as const)
      : ({ ...outcome, source: 'call', needsAuth: false, jitter: Math.random() } as const);
    this.#record.set({ condition: observe(condition, observation, Date.now()) });
    this.#record.save();
  }

  async toolNames(): Promise<readonly string[]> {
    return (this.#record.body.catalog?.tools ?? []).map(({ name }) => name);
  }

  async definitions(): Promise<DefinitionsReport> {
    return this.#pins.report();
  }

  async approve(request: ApprovalRequest): Promise<ApprovalOutcome> {
    const { outcome, released, fingerprint } = this.#pins.approve(request, Date.now());
    const { catalog } = this.#record.body;
    if (fingerprint !== undefined && catalog !== undefined) {
      this.#record.set({ catalog: { ...catalog, tools: [...catalog.tools, ...released], fingerprint } });
      this.#record.save({ items: true });
    }
    // Armed in the turn of the commit: an object that sleeps would keep its events to itself.
    if (this.#nextCheckAt === undefined) await this.ctx.storage.setAlarm(Date.now() + EVENTS_RETRY_MS);
    await this.#handOverEvents();
    return outcome;
  }

  override async alarm(): Promise<void> {
    await this.#handOverEvents();
    const dueAt = this.#dueAt();
    await (dueAt === undefined ? this.#schedule(dueAt) : this.#probe(false));
  }

  /** Takes over a changed definition, remembers the use, and wakes the probing that slept. */
  async #use(subject: HealthSubject): Promise<void> {
    const now = Date.now();
    if (this.#record.body.subject?.fingerprint === subject.fingerprint) this.#record.set({ subject, lastUsedAt: now });
    else this.#begin(subject, now);
    if (now - this.#usedAtSaved > Math.min(USE_LAG_MS, subject.idleAfterMs / 10)) {
      this.#record.save();
      this.#usedAtSaved = now;
    }
    if (this.#nextCheckAt !== undefined || this.#probing !== undefined || subject.disabled) return;
    // A first discovery is begun by whoever asks; the alarm stands in for it should this object end meanwhile.
    const tried = this.#record.body.condition.checkedAt !== undefined;
    await this.#schedule(tried ? now : now + subject.intervalMs);
  }

  #begin(subject: HealthSubject, lastUsedAt: number): void {
    this.#record.set({ lastUsedAt });
    this.#record.begin(subject);
    this.#usedAtSaved = lastUsedAt;
  }

  /** Joins the probe under way when it does what is asked for, or, if `afresh`, one that has yet to begin; one at a time. */
  async #probe(listing: boolean, { afresh = false } = {}): Promise<void> {
    const current = this.#probing;
    if (current !== undefined && (current.listing || !listing) && (!afresh || current.waiting)) return current.done;
    const begun = (): void => {
      probing.waiting = false;
    };
    const probing: Probing = { listing, waiting: true, done: this.#runAfter(current?.done, listing, begun) };
    this.#probing = probing;
    this.ctx.waitUntil(probing.done);
    await probing.done;
    if (this.#probing === probing) this.#probing = undefined;
  }

  async #runAfter(earlier: Promise<void> | undefined, listing: boolean, onBegin: () => void): Promise<void> {
    await earlier;
    onBegin();
    try {
      let probed: HealthSubject | undefined;
      // Whoever waits was promised the newest definition, which may have come in the meantime.
      while (this.#record.body.subject?.fingerprint !== probed?.fingerprint) {
        probed = this.#record.body.subject;
        if (probed !== undefined) await this.#run(probed, listing);
      }
    } catch (fault) {
      // Health fails open: a gateway that cannot probe says nothing about the upstream.
      log('error', 'probe.failed', { upstream: this.#record.body.subject?.name, fault: describeFault(fault) });
    }
    this.ctx.waitUntil(this.#handOverEvents());
    await this.#schedule(this.#dueAt());
  }

  async #run(subject: HealthSubject, listing: boolean): Promise<void> {
    const { catalog, condition, listedAt, eraAt, session } = this.#record.body;
    const now = Date.now();
    const well = catalog !== undefined && condition.failedProbes === 0;
    const doubted = catalog?.era === 'legacy' && now - eraAt >= LEGACY_VERDICT_MS;
    const prober = (this.ctx.exports as unknown as { UpstreamProber: UpstreamProberRpc }).UpstreamProber;
    const result = await prober.probe({
      name: subject.name,
      listing: listing || !well || now - listedAt >= LISTING_INTERVAL_MS,
      timeoutMs: subject.timeoutMs,
      ...(well ? { known: doubted ? {} : { era: catalog.era, ...(session === undefined ? {} : { session }) } } : {}),
    });
    await this.#learn(subject, result, { eraAsked: !well || doubted });
  }

  async #learn(
    probed: HealthSubject,
    result: ProbeResult,
    { eraAsked }: { readonly eraAsked: boolean },
  ): Promise<void> {
    if ('gone' in result) {
      await this.#handOverEvents();
      if (this.#pins.events.waiting() !== undefined)
        throw new Error('the audit has yet to take what is to be forgotten');
      await this.#record.forget();
      this.#pins = new DefinitionPins(this.#record.database);
      this.#usedAtSaved = 0;
      return;
    }
    const { subject, lastUsedAt } = this.#record.body;
    // The configuration changed during the probe: what it found is of the newer definition, or of an older one.
    if (subject?.fingerprint !== probed.fingerprint) return;
    if (result.fingerprint !== probed.fingerprint)
      this.#begin({ ...probed, fingerprint: result.fingerprint }, lastUsedAt);
    const now = Date.now();
    const { condition, catalog: held, session: _, ...rest } = this.#record.body;
    if (!result.ok) {
      const observation = { ...result, source: 'probe', jitter: Math.random() } as const;
      this.#record.replace({
        ...rest,
        condition: observe(condition, observation, now),
        ...(held && { catalog: held }),
      });
      this.#record.save();
      return;
    }
    const listed = this.#vet(probed, result, now);
    const catalog = listed ?? held;
    this.#record.replace({
      ...rest,
      condition: observe(condition, { source: 'probe', ok: true, latencyMs: result.latencyMs }, now),
      ...(catalog === undefined ? {} : { catalog }),
      ...(result.session === undefined ? {} : { session: result.session }),
      ...(listed === undefined ? {} : { listedAt: now }),
      ...(eraAsked && result.asleep === undefined ? { eraAt: now } : {}),
    });
    this.#record.save({ items: catalog?.fingerprint !== held?.fingerprint });
  }

  /** What of the listing clients may have, where there is a listing. */
  #vet({ name }: HealthSubject, { catalog, vetting }: ListingResult, now: number): Catalog | undefined {
    return catalog === undefined || vetting === undefined ? undefined : this.#pins.learn(name, catalog, vetting, now);
  }

  /** Events are committed with what they tell of, and deleted here once the ledger has them: it knows them by their ids. */
  async #handOverEvents(): Promise<void> {
    try {
      for (let page = this.#pins.events.waiting(); page !== undefined; page = this.#pins.events.waiting()) {
        await this.env.BUDGET_LEDGER.getByName(CONFIG_PAYER).record(page.events.map((event) => ({ event })));
        this.#pins.events.handedOver(page);
      }
    } catch (fault) {
      log('error', 'audit.events_waiting', { upstream: this.#record.body.subject?.name, fault: describeFault(fault) });
    }
  }

  /** When the next probe is due, undefined when probing may sleep. */
  #dueAt(): number | undefined {
    const { subject, condition, lastUsedAt } = this.#record.body;
    if (subject === undefined) return undefined;
    return nextProbeAt(subject, { lastUsedAt, failures: condition.failedProbes }, Date.now(), Math.random());
  }

  async #schedule(at: number | undefined): Promise<void> {
    this.#nextCheckAt = at;
    const alarmAt = at ?? (this.#pins.events.waiting() === undefined ? undefined : Date.now() + EVENTS_RETRY_MS);
    await (alarmAt === undefined ? this.ctx.storage.deleteAlarm() : this.ctx.storage.setAlarm(alarmAt));
  }

  async #within(deadlineMs: number, work: Promise<void>): Promise<void> {
    const done = new AbortController();
    const late = scheduler.wait(deadlineMs, { signal: done.signal }).catch(() => {});
    await Promise.race([work, late]);
    done.abort();
  }

  #report(): HealthReport {
    const { subject, condition, catalog } = this.#record.body;
    const context = {
      disabled: subject?.disabled ?? false,
      nextCheckAt: this.#nextCheckAt,
      era: catalog?.era,
      toolCount: catalog?.tools.length ?? 0,
      resourceCount: catalog?.resources?.length ?? 0,
      resourceTemplateCount: catalog?.resourceTemplates?.length ?? 0,
      promptCount: catalog?.prompts?.length ?? 0,
      definitions: this.#pins.counts(),
      note: catalog?.note,
    };
    return healthReport(condition, context, Date.now());
  }
}
