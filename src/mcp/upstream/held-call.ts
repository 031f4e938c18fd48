// A call at a legacy server that asked something in its midst: it waits there while its client, which knows no pushed
// requests, goes and comes again with what its user said (2026-07-28, multi round-trip requests).
import { describeFault, log } from '../../lib/log.ts';
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { RPC, rpcError } from '../protocol/errors.ts';
import type { RpcAnswer, Spoken } from '../protocol/message.ts';
import type { Hear } from './principal-port.ts';

/** Questions that belong together come together: so long the first waits for others. */
const GATHER_MS = 20;
/** Of notifications that nobody takes just now. */
const MOST_KEPT = 100;
/** Notifications on their way that were not taken yet; a client that is slower loses the newest. */
const MOST_UNDERWAY = 1_000;
/** What a result may require of its client. */
const ASKABLE: ReadonlySet<string> = new Set(['elicitation/create', 'sampling/createMessage', 'roots/list']);

interface Question {
  readonly request: Spoken;
  readonly answer: (answer: RpcAnswer) => void;
}

export type Turn<T> =
  | { readonly kind: 'settled'; readonly value: T }
  | { readonly kind: 'asks'; readonly questions: Readonly<Record<string, Spoken>> };

/** @typeParam T what the call comes to; its promise never rejects */
export class HeldCall<T> {
  readonly #abort = new AbortController();
  readonly #questions = new Map<string, Question>();
  #asked = Promise.withResolvers<void>();
  #lastKey = 0;
  #settled: Promise<T> | undefined;
  #hear: Hear | undefined;
  readonly #kept: Spoken[] = [];
  readonly #underway = new Set<Promise<void>>();

  /** @param start begins the call; what it is given lasts as long as the call */
  start(start: (call: HeldCall<T>) => Promise<T>): void {
    this.#settled = start(this);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  cancel(reason: string): void {
    this.#abort.abort(reason);
    for (const { answer } of this.#questions.values()) answer(rpcError(RPC.internalError, reason));
    this.#questions.clear();
  }

  hear(notification: Spoken): void {
    if (this.#hear === undefined) {
      this.#kept.push(notification);
      if (this.#kept.length > MOST_KEPT) this.#kept.shift();
      return;
    }
    if (this.#underway.size >= MOST_UNDERWAY) return;
    const taken = this.#tell(this.#hear, notification);
    this.#underway.add(taken);
    void taken.finally(() => this.#underway.delete(taken));
  }

  ask(request: Spoken, withdrawn: AbortSignal): Promise<RpcAnswer> {
    if (!ASKABLE.has(request.method)) {
      const text = `${request.method} was not delivered: clients of 2026-07-28 are not asked this`;
      return Promise.resolve(rpcError(RPC.methodNotFound, text));
    }
    this.#lastKey += 1;
    const key = `input-${this.#lastKey}`;
    const { promise, resolve } = Promise.withResolvers<RpcAnswer>();
    const question = { request, answer: resolve };
    this.#questions.set(key, question);
    withdrawn.addEventListener('abort', () => {
      this.#questions.delete(key);
      resolve(rpcError(RPC.internalError, 'withdrawn'));
    });
    this.#asked.resolve();
    return promise;
  }

  /** Hands the client's answers on. What it does not answer stays asked. */
  answer(responses: JsonObject): void {
    for (const [key, { answer }] of this.#questions) {
      const response = responses[key];
      if (!isObject(response)) continue;
      this.#questions.delete(key);
      answer({ result: response });
    }
  }

  /** Goes on until the call is over or asks. @param hear takes what is said meanwhile, and what was kept before */
  async turn(hear: Hear): Promise<Turn<T>> {
    this.#hear = hear;
    for (const notification of this.#kept.splice(0)) this.hear(notification);
    try {
      return await this.#next();
    } finally {
      this.#hear = undefined;
      await Promise.all(this.#underway);
    }
  }

  async #next(): Promise<Turn<T>> {
    const settled = this.#settled;
    if (settled === undefined) throw new TypeError('the call was not started');
    const over = settled.then((value): Turn<T> => ({ kind: 'settled', value }));
    for (;;) {
      if (this.#questions.size === 0) this.#asked = Promise.withResolvers();
      const turn = await Promise.race([over, this.#asked.promise.then(() => scheduler.wait(GATHER_MS))]);
      if (turn !== undefined) return turn;
      // All of them may have been withdrawn again.
      if (this.#questions.size === 0) continue;
      const questions = Array.from(this.#questions, ([key, { request }]) => [key, request] as const);
      return { kind: 'asks', questions: Object.fromEntries(questions) };
    }
  }

  async #tell(hear: Hear, notification: Spoken): Promise<void> {
    try {
      await hear(notification);
    } catch (fault) {
      // The client went away; that its request ends is told otherwise.
      log('info', 'notification.untaken', { fault: describeFault(fault) });
    }
  }
}
