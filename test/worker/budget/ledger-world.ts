// Gateways that draw on the limits of one ledger, over a network that loses, doubles and delays what they say, and a model
// of what really happened. `take` runs one step and then checks everything that must hold at any time.
import type { LimitStanding, Refusal } from '../../../src/budget/admission.ts';
import { LEASE_LIFETIME_MS, type LeaseRequest, type LeaseTrim } from '../../../src/budget/lease.ts';
import type { Amounts, Limit } from '../../../src/budget/limits.ts';
import {
  covers, Isolate, LASTING, least, LIMITS, mapped, METRICS, minus, NOTHING, PLANS, plus, same, SCALES, someAmounts, type Draw,
  type HeldLease, type Metric, type Step, type TestedLedger, type WorldClock,
} from './ledger-gateways.ts'; // prettier-ignore

export class LedgerWorld {
  readonly #ledger: TestedLedger;
  readonly #clock: WorldClock;
  readonly #expect: (ok: boolean, rule: string, facts: object) => void;
  readonly #isolates: Isolate[] = [];
  readonly #draws: Draw[] = [];
  readonly #leases: HeldLease[] = [];
  readonly #highest = new Map<string, number>();
  /** What may be taken of a counter: its limit, or what is taken since that was lowered or a call passed its need. */
  readonly #permitted = new Map<string, number>();
  /** The same of all that was ever taken: after a restart the ledger's time may be a little earlier than before. */
  readonly #everPermitted = new Map<string, number>();
  #scale = 1;
  #names = 0;
  #crashes = 0;

  constructor(ledger: TestedLedger, clock: WorldClock, expect: (ok: boolean, rule: string, facts: object) => void) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#expect = expect;
    for (let index = 0; index < 3; index++) this.#isolates.push(this.#birth());
    this.#permit();
  }

  async take(step: Step): Promise<void> {
    const isolate = this.#isolates[step.isolate % this.#isolates.length];
    if (isolate === undefined) return;
    if (step.kind === 'request') await this.#request(isolate, step);
    else if (step.kind === 'settle') this.#settle(isolate, step);
    else if (step.kind === 'send') await this.#send(isolate, step);
    else if (step.kind === 'trim') this.#trim(isolate, step);
    else if (step.kind === 'report') await this.#report(isolate, step);
    else if (step.kind === 'crash') this.#crash(isolate);
    else if (step.kind === 'wait') this.#pass(step.size % 3 === 0 ? step.size ** 2 : (step.size % 100) * 100);
    else if (step.kind === 'clock') this.#pass((step.size % 2 === 0 ? 1 : -1) * step.size ** 3);
    else if (step.kind === 'configure') this.#configure(step);
    else await this.#ledger.restart();
    await this.#check(step.kind);
  }

  /** Everybody ends what runs, and everything arrives. */
  async finish(): Promise<void> {
    const delivered = { size: 0, fate: 'arrives' } as const;
    for (const [index, isolate] of this.#isolates.entries()) {
      const step = { ...delivered, kind: 'settle', isolate: index } as const;
      while (isolate.running.length > 0) this.#settle(isolate, { ...step, size: 7 });
      for (const lease of isolate.leases) this.#close(isolate, lease);
      while (isolate.charges.length > 0) await this.#send(isolate, { ...step, size: 99 });
      while (isolate.trims.length > 0) await this.#report(isolate, { ...step, size: 99 });
      await this.#report(isolate, { ...step, size: 99 });
    }
    await this.#check('the end');
    this.#pass(10 * LEASE_LIFETIME_MS);
    for (const { limit, spent, reserved, presumed } of await this.#standings()) {
      const facts = { limit: limit.id, spent, reserved, presumed, crashes: this.#crashes };
      if (limit.metric === 'concurrent') this.#expect(reserved === 0, 'slots come back', facts);
      else this.#expect(reserved === presumed, 'only the dead hold anything in the end', facts);
      if (this.#crashes === 0) this.#expect(reserved === 0, 'everything comes back', facts);
    }
  }

  #birth(): Isolate {
    const isolate = new Isolate(`holder ${this.#names++}`);
    isolate.heardAt = this.#clock.wall;
    return isolate;
  }

  #limits(plan: number): Limit[] {
    return LIMITS.filter(({ id }) => PLANS[plan]?.includes(id)).map((limit) =>
      Object.assign({}, limit, { amount: Math.ceil(limit.amount * this.#scale) }),
    );
  }

  #standings(): Promise<readonly LimitStanding[]> {
    return this.#ledger.standings(this.#limits(0));
  }

  async #request(isolate: Isolate, step: Step): Promise<void> {
    const plan = step.size % PLANS.length;
    const unit = 1 + (step.size % 11);
    const need = someAmounts(unit * 150, unit * 40, 1);
    const limits = PLANS[plan] ?? [];
    this.#tellTime(isolate);
    const lease = isolate.leases.find(
      (open) => open.isOpen && open.plan === plan && open.until > this.#clock.wall && covers(open, need),
    );
    const hasSlot = !limits.includes('key at once') || isolate.runningAtOnce() < isolate.slots;
    if (lease !== undefined && hasSlot) this.#draw(lease, need);
    else await this.#ask(isolate, plan, need, step);
  }

  #draw(lease: HeldLease, need: Amounts): void {
    lease.undrawn = minus(lease.undrawn, need);
    const draw: Draw = {
      lease,
      at: this.#clock.wall,
      need,
      limits: lease.limits,
      isRecorded: false,
      isSilenced: false,
    };
    lease.draws.push(draw);
    this.#draws.push(draw);
  }

  async #ask(isolate: Isolate, plan: number, need: Amounts, { fate }: Step): Promise<void> {
    const limits = this.#limits(plan);
    const running = isolate.runningAtOnce() + 1;
    const bounded = limits.some(({ metric }) => metric === 'concurrent');
    const request: LeaseRequest = {
      lease: `lease ${this.#names++}`,
      holder: isolate.holder,
      sequence: isolate.sequence++,
      plan: JSON.stringify(limits),
      limits,
      need,
      trims: isolate.trims.slice(0, 3),
      slots: bounded ? { 'key at once': running } : {},
    };
    if (bounded) isolate.slots = Math.min(isolate.slots, running);
    if (fate === 'lost') return void isolate.trims.push({ lease: request.lease, drawn: NOTHING });
    const before = await this.#standings();
    const answer = await this.#ledger.acquire(request);
    this.#arrived(isolate, request.trims);
    if (answer.ok && fate === 'doubled') {
      const again = await this.#ledger.acquire(request);
      this.#expect(again.ok && same(again.granted, answer.granted), 'the same grant again', { answer, again });
    }
    if (!answer.ok) return this.#refused(answer.refusal, before, need);
    this.#expect(
      METRICS.every((metric) => answer.granted[metric] >= need[metric]),
      'at least what was needed',
      { answer },
    );
    const lease: HeldLease = {
      id: request.lease, plan, limits: limits.map(({ id }) => id), slack: minus(answer.granted, need), need, draws: [],
      undrawn: answer.granted, released: NOTHING, charges: 0, isOpen: true, isTrimmed: false, until: this.#clock.wall + LEASE_LIFETIME_MS,
    }; // prettier-ignore
    this.#leases.push(lease);
    if (fate === 'unanswered') {
      lease.isOpen = false;
      isolate.trims.push({ lease: request.lease, drawn: NOTHING });
      return;
    }
    isolate.trims = isolate.trims.filter((trim) => !request.trims.includes(trim));
    if (bounded) isolate.slots = answer.slots['key at once'] ?? 0;
    isolate.leases.push(lease);
    this.#draw(lease, need);
  }

  /** What is really left is the limit less what is settled, presumed, and under way in any gateway that lives. */
  #refused({ limit, need, resetsAt, certainUntil }: Refusal, before: readonly LimitStanding[], asked: Amounts): void {
    const standing = before.find((one) => one.limit.id === limit.id);
    if (standing === undefined) return this.#expect(false, 'a limit of the plan', { limit });
    if (certainUntil !== undefined) {
      this.#expect(standing.spent + need > limit.amount, 'certain by what is settled', {
        standing,
        need,
        certainUntil,
      });
    }
    this.#expect(resetsAt !== undefined || need > limit.amount || limit.amount < 1, 'fits at some time', {
      limit,
      need,
    });
    if (limit.metric === 'concurrent') return;
    this.#expect(need === asked[limit.metric], 'names the need', { need, asked });
    let underWay = 0;
    for (const lease of this.#leases) {
      if (!lease.limits.includes(limit.id) || lease.isTrimmed) continue;
      if (!lease.isOpen) underWay += lease.undrawn[limit.metric];
    }
    for (const draw of this.#draws) {
      if (draw.limits.includes(limit.id) && !draw.isRecorded) underWay += draw.need[limit.metric];
    }
    const left = limit.amount - standing.spent - standing.presumed - underWay;
    const slice = (this.#highest.get(limit.id) ?? 0) / 16;
    this.#expect(left < need + slice, 'not refused while more than a slice is left', {
      limit,
      left,
      need,
      slice,
      standing,
    });
  }

  #settle(isolate: Isolate, { size }: Step): void {
    const { running } = isolate;
    const draw = running[size % running.length];
    if (draw === undefined) return;
    const { lease, need } = draw;
    const share = size % 29 === 0 ? 1.25 : ([0, 0.5, 1, 1, 0.9][size % 5] ?? 1);
    const actual = { ...mapped((metric) => Math.floor(need[metric] * share)), requests: size % 7 === 3 ? 0 : 1 };
    const unused = mapped((metric) => Math.max(0, need[metric] - actual[metric]));
    // A lease keeps no more than its slack, so that undrawn leases stay small.
    const kept = lease.isOpen
      ? least(
          unused,
          mapped((metric) => Math.max(0, lease.slack[metric] - lease.undrawn[metric])),
        )
      : NOTHING;
    const release = minus(need, kept);
    lease.undrawn = plus(lease.undrawn, kept);
    lease.released = plus(lease.released, release);
    lease.charges++;
    draw.actual = actual;
    draw.charge = { lease: lease.id, draw: lease.charges, at: draw.at, release, actual };
    isolate.charges.push(draw);
  }

  /** In any order; what is not acknowledged is sent again. */
  async #send(isolate: Isolate, { size, fate }: Step): Promise<void> {
    const reversed = size % 3 === 0 ? isolate.charges.toReversed() : isolate.charges;
    const sent = reversed.slice(0, 1 + (size % 5));
    if (fate === 'lost' || sent.length === 0) return;
    const entries = sent.flatMap(({ charge }) => (charge === undefined ? [] : [{ charge }]));
    await this.#ledger.record(fate === 'doubled' ? [...entries, ...entries] : entries);
    for (const draw of sent) {
      const { actual = NOTHING, need } = draw;
      if (!draw.isRecorded)
        this.#passed(
          draw.limits,
          mapped((metric) => Math.max(0, actual[metric] - need[metric])),
        );
      draw.isRecorded = true;
    }
    isolate.heardAt = this.#clock.wall;
    if (fate !== 'unanswered') isolate.charges = isolate.charges.filter((draw) => !sent.includes(draw));
  }

  #trim(isolate: Isolate, { size }: Step): void {
    const lease = isolate.leases[size % isolate.leases.length];
    if (lease !== undefined) this.#close(isolate, lease);
  }

  #close(isolate: Isolate, lease: HeldLease): void {
    if (!lease.isOpen) return;
    lease.isOpen = false;
    const pending = lease.draws.filter(({ actual }) => actual === undefined);
    const drawn = pending.reduce((sum, { need }) => plus(sum, need), lease.released);
    isolate.trims.push({ lease: lease.id, drawn });
  }

  async #report(isolate: Isolate, { size, fate }: Step): Promise<void> {
    this.#tellTime(isolate);
    const trims = size % 2 === 0 ? isolate.trims.toReversed().slice(0, 2) : isolate.trims;
    const renew = isolate.leases.filter(
      ({ isOpen, draws }) => isOpen || draws.some(({ actual }) => actual === undefined),
    );
    const running = isolate.runningAtOnce();
    const report = {
      holder: isolate.holder,
      sequence: isolate.sequence++,
      renew: renew.map(({ id }) => id),
      trims,
      slots: { 'key at once': running },
    };
    isolate.slots = Math.min(isolate.slots, running);
    if (fate === 'lost') return;
    await this.#ledger.report(report);
    if (fate === 'doubled') await this.#ledger.report(report);
    this.#arrived(isolate, trims);
    if (fate === 'unanswered') return;
    isolate.slots = running;
    isolate.trims = isolate.trims.filter((trim) => !trims.includes(trim));
    for (const lease of renew) if (lease.until > this.#clock.wall) lease.until = this.#clock.wall + LEASE_LIFETIME_MS;
  }

  #arrived(isolate: Isolate, trims: readonly LeaseTrim[]): void {
    isolate.heardAt = this.#clock.wall;
    for (const { lease } of trims) {
      const trimmed = this.#leases.find(({ id }) => id === lease);
      if (trimmed !== undefined) trimmed.isTrimmed = true;
    }
  }

  /** Slots of a gateway that was silent for too long went to others, whatever it still runs. */
  #tellTime(isolate: Isolate): void {
    if (Math.abs(this.#clock.wall - isolate.heardAt) < LEASE_LIFETIME_MS) return;
    isolate.slots = 0;
    for (const draw of isolate.running) draw.isSilenced = true;
  }

  #crash(isolate: Isolate): void {
    this.#crashes++;
    for (const draw of isolate.running) draw.isSilenced = true;
    this.#isolates[this.#isolates.indexOf(isolate)] = this.#birth();
  }

  #pass(ms: number): void {
    this.#clock.wall += ms;
    for (const isolate of this.#isolates) this.#tellTime(isolate);
  }

  #configure({ size }: Step): void {
    this.#scale = SCALES[size % SCALES.length] ?? 1;
    this.#permit();
  }

  #permit(): void {
    for (const { id, amount } of this.#limits(0)) {
      this.#highest.set(id, Math.max(amount, this.#highest.get(id) ?? 0));
      this.#permitted.set(id, Math.max(amount, this.#permitted.get(id) ?? 0));
      this.#everPermitted.set(id, Math.max(amount, this.#everPermitted.get(id) ?? 0));
    }
  }

  #passed(limits: readonly string[], over: Amounts): void {
    for (const { id, metric } of LIMITS) {
      if (metric !== 'concurrent' && limits.includes(id))
        this.#permitted.set(id, (this.#permitted.get(id) ?? 0) + over[metric]);
    }
  }

  async #check(step: string): Promise<void> {
    for (const { limit, spent, reserved, presumed, over } of await this.#standings()) {
      const { id, metric, amount } = limit;
      const facts = { step, id, spent, reserved, presumed, over, amount };
      const isCount = [spent, reserved, presumed, over].every((value) => Number.isSafeInteger(value) && value >= 0);
      this.#expect(isCount && presumed <= reserved && over <= spent, 'counts', facts);
      if (metric === 'concurrent') {
        this.#checkSlots(id, { ...facts, permitted: this.#permitted.get(id) ?? 0 });
        this.#permitted.set(id, Math.max(amount, reserved));
        continue;
      }
      const permitted = (step === 'restart' ? this.#everPermitted : this.#permitted).get(id) ?? amount;
      this.#expect(spent + reserved <= permitted, 'settled and outstanding within the limit', { ...facts, permitted });
      this.#permitted.set(id, Math.max(amount, spent + reserved));
      if (LASTING.has(id)) this.#checkSums(id, metric, facts);
    }
  }

  /** What gateways that were silent still run is nobody's slot, until they say so themselves. */
  #checkSlots(
    id: string,
    facts: { readonly step: string; readonly reserved: number; readonly permitted: number },
  ): void {
    const running = this.#isolates.flatMap((isolate) => isolate.running).filter(({ limits }) => limits.includes(id));
    const counted = running.filter(({ isSilenced }) => !isSilenced).length;
    this.#expect(counted <= facts.reserved, 'a slot for each that runs', { ...facts, counted });
    if (facts.step !== 'request' || counted < running.length) return;
    this.#expect(facts.reserved <= facts.permitted, 'no more at once', { ...facts, counted });
  }

  #checkSums(id: string, metric: Metric, facts: { readonly spent: number; readonly reserved: number }): void {
    let settled = 0;
    let used = 0;
    for (const draw of this.#draws) {
      if (!draw.limits.includes(id)) continue;
      const { actual, need, isRecorded } = draw;
      if (isRecorded) settled += actual?.[metric] ?? 0;
      // What nobody was told of cannot have been counted beyond what it was admitted with.
      used += isRecorded ? (actual?.[metric] ?? 0) : Math.min(need[metric], actual?.[metric] ?? need[metric]);
    }
    this.#expect(facts.spent === settled, 'each charge once', { ...facts, settled });
    this.#expect(facts.spent + facts.reserved >= used, 'never too little', { ...facts, used });
  }
}
