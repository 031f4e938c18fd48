// What the streams of one session carried, kept for clients that come back for what they missed. Memory holds it while
// the session's object lives; storage holds what somebody may still come back for after that: events of a stream that
// has lost its client or has ended. What an open stream carries is not stored: its object is not evicted meanwhile.
import { RPC, rpcError } from '../protocol/errors.ts';
import { responseTo, type RpcId } from '../protocol/message.ts';
import type { StoredEvents } from './ports.ts';

export interface LoggedEvent {
  readonly seq: number;
  /** A JSON-RPC message. */
  readonly data: string;
}

export interface EventLogOptions {
  readonly store: StoredEvents;
  readonly now: () => number;
  /** Does the work in so many milliseconds, and keeps the object alive until then. */
  readonly later: (ms: number, work: () => void) => void;
}

interface Kept {
  readonly stream: string;
  readonly seq: number;
  readonly at: number;
  data: string;
  /** The request that it answers. Answers are given up last. */
  readonly answers?: RpcId;
  stored: boolean;
}

/** All of one session. */
const MOST_EVENTS = 1_000;
const MOST_CHARACTERS = 8 * 1024 * 1024;
const KEPT_MS = 5 * 60_000;
/** A row of a Durable Object ends at 2 MB. */
const MOST_STORED_CHARACTERS = 1024 * 1024;
/** Several events make one commit. */
const STORE_AFTER_MS = 250;

export class EventLog {
  readonly #options: EventLogOptions;
  #events: Kept[] = [];
  #characters = 0;
  /** The requests of each stream that wait for their answers. */
  readonly #open = new Map<string, readonly RpcId[]>();
  /** Streams whose events are to be stored. */
  readonly #durable = new Set<string>();
  /** Streams that will need to be stored once more at most. */
  readonly #ended = new Set<string>();
  #storing = false;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  /** Makes a stream known, even to an object that begins anew. */
  begin(stream: string, requests: readonly RpcId[]): void {
    this.#open.set(stream, requests);
    this.#options.store.setStream({ name: stream, open: requests });
  }

  append(stream: string, seq: number, data: string, answers?: RpcId): void {
    const answer = answers === undefined ? {} : { answers };
    this.#keep({ stream, seq, data, at: this.#options.now(), stored: false, ...answer });
    if (answers !== undefined) this.settle(stream, answers);
    if (this.#durable.has(stream)) this.#storeSoon();
  }

  /** The request does not wait any more. */
  settle(stream: string, request: RpcId): void {
    this.#open.set(stream, withoutOne(this.#open.get(stream) ?? [], request));
  }

  /** From here on its events outlive memory, those before included: nobody reads it now. */
  makeDurable(stream: string): void {
    this.#durable.add(stream);
    this.#storeSoon();
  }

  /** Nothing follows. Its last events may not have arrived, so they are stored. */
  end(stream: string): void {
    this.#ended.add(stream);
    this.makeDurable(stream);
  }

  /** Somebody reads it again. */
  makePassing(stream: string): void {
    this.#durable.delete(stream);
  }

  /** The requests of a stream that wait for their answers; undefined where the stream is not known, or forgotten. */
  open(stream: string): readonly RpcId[] | undefined {
    const known = this.#open.get(stream);
    if (known !== undefined) return known;
    const found = this.#options.store.stream(stream);
    if (found === undefined) return undefined;
    this.#open.set(stream, found.open);
    for (const event of found.events) this.#keep({ ...event, stored: true });
    return found.open;
  }

  after(stream: string, seq: number): readonly LoggedEvent[] {
    return this.#events
      .filter((event) => event.stream === stream && event.seq > seq)
      .toSorted((left, right) => left.seq - right.seq);
  }

  lastSeq(stream: string): number {
    return this.#events.findLast((event) => event.stream === stream)?.seq ?? 0;
  }

  #keep(event: Kept): void {
    this.#events.push(event);
    this.#characters += event.data.length;
    const keptSince = this.#options.now() - KEPT_MS;
    while (this.#events[0] !== undefined && this.#events[0].at < keptSince) this.#drop(0);
    while (this.#events.length > MOST_EVENTS || this.#characters > MOST_CHARACTERS) {
      const passing = this.#events.findIndex(({ answers }) => answers === undefined);
      if (passing !== -1) this.#drop(passing);
      else if (!this.#shortenOldest()) this.#drop(0);
    }
  }

  #drop(index: number): void {
    const [dropped] = this.#events.splice(index, 1);
    if (dropped === undefined) return;
    this.#characters -= dropped.data.length;
  }

  /** An answer that cannot be kept leaves word of it: whoever comes back for it must not wait. */
  #shortenOldest(): boolean {
    const long = this.#events.find(({ data }) => data.length > MOST_CHARACTERS / MOST_EVENTS);
    if (long === undefined) return false;
    this.#characters -= long.data.length;
    long.data = tooLarge(long.answers);
    this.#characters += long.data.length;
    return true;
  }

  #storeSoon(): void {
    if (this.#storing) return;
    this.#storing = true;
    this.#options.later(STORE_AFTER_MS, () => this.#store());
  }

  #store(): void {
    this.#storing = false;
    const { store, now } = this.#options;
    const fresh = this.#events.filter((event) => !event.stored && this.#durable.has(event.stream));
    for (const event of fresh) event.stored = true;
    for (const stream of this.#durable) {
      const open = this.#open.get(stream);
      if (open !== undefined) store.setStream({ name: stream, open });
    }
    for (const stream of this.#ended) this.#durable.delete(stream);
    this.#ended.clear();
    const rows = fresh.map(({ stream, seq, at, data, answers }) => {
      const isStorable = data.length <= MOST_STORED_CHARACTERS;
      return { stream, seq, at, data: isStorable ? data : tooLarge(answers) };
    });
    const bounds = { keptSince: now() - KEPT_MS, most: MOST_EVENTS };
    store.append(
      rows.filter(({ data }) => data !== ''),
      bounds,
    );
    this.#forgetEnded();
  }

  /** What is no longer in memory is found in the store, as long as it is there. */
  #forgetEnded(): void {
    const live = new Set(this.#events.map(({ stream }) => stream));
    for (const [stream, open] of this.#open) if (open.length === 0 && !live.has(stream)) this.#open.delete(stream);
  }
}

/** Empty for what nobody waits for. */
function tooLarge(answers: RpcId | undefined): string {
  if (answers === undefined) return '';
  const text = 'The answer was too large to be kept until you came back for it. Make the request again.';
  return JSON.stringify(responseTo(answers, rpcError(RPC.internalError, text)));
}

function withoutOne(ids: readonly RpcId[], id: RpcId): RpcId[] {
  const index = ids.indexOf(id);
  return ids.toSpliced(index, index === -1 ? 0 : 1);
}
