// One session at a legacy server: who gets what it says, and what it asks.
import { isObject } from '../../lib/json-value.ts';
import type { Ask, Face, LinkRequest } from '../links.ts';
import { isNotification, isRequest, isResponse, type RpcAnswer, type Spoken } from '../protocol/message.ts';
import { answerFor } from './modern-request.ts';
import type { Message } from './message-stream.ts';
import { isChange } from './notifications.ts';
import { OpenQuestions } from './open-questions.ts';
import { withMeta } from './request-message.ts';
import { RunningRequest } from './running-request.ts';
import type { KeptSession } from './session-store.ts';
import type { Wire } from './wire.ts';

/** What the session has to say that belongs to no request. */
export interface SessionAudience {
  readonly onUnasked: (notification: Spoken) => void;
  /** Of whoever listens, where somebody does. */
  readonly ask: () => Ask | undefined;
  readonly isListening: () => boolean;
}

export interface LegacySessionOptions {
  readonly known: KeptSession;
  readonly face: Face;
  readonly audience: SessionAudience;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export class LegacySession {
  known: KeptSession;
  readonly wire: Wire;
  readonly #audience: SessionAudience;
  readonly #waitUntil: LegacySessionOptions['waitUntil'];
  readonly #questions: OpenQuestions;
  readonly #running = new Map<number, RunningRequest>();

  constructor(wire: Wire, { known, face, audience, waitUntil }: LegacySessionOptions) {
    this.wire = wire;
    this.known = known;
    this.#audience = audience;
    this.#waitUntil = waitUntil;
    this.#questions = new OpenQuestions(wire, face, waitUntil);
  }

  get busy(): boolean {
    return this.#running.size > 0;
  }

  /** @throws what `explainFailure` understands */
  async request(request: LinkRequest, timeoutMs: number): Promise<RpcAnswer> {
    const running = new RunningRequest(request, timeoutMs);
    const { id } = running;
    const hangUp = new AbortController();
    let isReadOut = false;
    this.#running.set(id, running);
    const own = request.wantsProgress ? { progressToken: id } : {};
    const params = request.params === undefined && !request.wantsProgress ? undefined : withMeta(request.params, own);
    const message = { jsonrpc: '2.0', id, method: request.method, ...(params !== undefined && { params }) } as const;
    const sending = this.wire.request(message, {
      signal: hangUp.signal,
      receive: (said) => {
        this.receive(said, running);
        isReadOut = running.isAnswered;
        return isReadOut ? 'enough' : 'more';
      },
      isAnswered: () => running.isAnswered,
      onPause: (retryMs) => request.onPause?.(retryMs),
    });
    sending.catch((error: unknown) => running.fail(error));
    try {
      return await running.answer;
    } finally {
      this.#running.delete(id);
      const { reason } = running.patience;
      running.end();
      const isGivenUp = reason !== undefined && !running.isAnswered;
      if (isGivenUp) this.#waitUntil(this.#giveUp(id, reason).then(() => hangUp.abort()));
      // The stream that brought the answer is closed by its reader.
      else if (!isReadOut) hangUp.abort();
    }
  }

  /** @param running whose stream it came on; the shared one of the session when absent */
  receive(message: Message, running?: RunningRequest): void {
    if (isResponse(message)) {
      const id = Number(message.id);
      const answer = message.id === null ? undefined : answerFor(message, id);
      if (answer !== undefined) this.#running.get(id)?.settle(answer);
    } else if (isRequest(message)) {
      const asked = running ?? this.#latest();
      this.#questions.ask(message, asked === undefined ? this.#listener() : askerOf(asked, running));
    } else if (isNotification(message)) {
      this.#route(message, running);
    }
  }

  /** The connection is gone: what is under way will not be answered. */
  fail(error: unknown): void {
    for (const running of this.#running.values()) running.fail(error);
  }

  #route(message: Spoken & Message, running: RunningRequest | undefined): void {
    const { method, params } = message;
    const said: Spoken = { method, ...(params !== undefined && { params }) };
    if (method === 'notifications/cancelled') return this.#questions.withdraw(params);
    if (isChange(method)) return this.#audience.onUnasked(said);
    if (method === 'notifications/progress') {
      const token = isObject(params) ? params['progressToken'] : undefined;
      return this.#running.get(Number(token))?.heed(message);
    }
    if (running !== undefined) return running.heed(message);
    // What comes on the stream of the session belongs to no request, as far as anybody can tell.
    if (this.#audience.isListening()) return this.#audience.onUnasked(said);
    this.#latest()?.heed(message);
  }

  #latest(): RunningRequest | undefined {
    const running = [...this.#running.values()];
    return running.findLast(({ request }) => request.ask !== undefined) ?? running.at(-1);
  }

  #listener(): { stream: undefined; ask: Ask | undefined } {
    return { stream: undefined, ask: this.#audience.ask() };
  }

  /** A legacy server takes a closed connection for an accident. */
  async #giveUp(requestId: number, reason: string): Promise<void> {
    await this.wire.tell({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason } });
  }
}

/** @param on the request on whose stream the question came */
function askerOf(asked: RunningRequest, on: RunningRequest | undefined) {
  return {
    stream: on?.id,
    ask: asked.request.ask,
    gone: asked.over,
    onAsked: () => asked.patience.pause(),
    onAnswered: () => asked.patience.resume(),
  };
}
