// A loopback provider that bills: it speaks OpenAI's chat completions and Anthropic's messages, and keeps the book that a
// vendor would send its invoice from. What it bills is what it generated, whoever was still there to read it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { billingWire, type BillingWire, type UsageTold } from './billing-wire.ts';
import { listen, readText, type Fixture } from './fixture-http.ts';

/** Nano-dollars per LLM token; a call of `CENT_TOKENS` costs one cent. */
export const NANO_USD_PER_TOKEN = 100_000;
export const CENT_TOKENS = 100;
export const NANO_USD_PER_CENT = NANO_USD_PER_TOKEN * CENT_TOKENS;
/** Priced without its input, so that a call costs its whole estimate by generating its maximum. */
export const BILLED_MODEL = 'biller-1';

/** How it answers one request. */
export interface Behaviour {
  /** LLM tokens to generate; the request's own maximum where left out. */
  readonly tokens?: number;
  /** Until the first byte of the answer. Of an answer in one piece the tokens are generated meanwhile, evenly. */
  readonly delayMs?: number;
  /** Between two tokens of a stream. */
  readonly tokenMs?: number;
  /** Closes the connection: when everything is generated and nothing sent, or half-way through a stream. */
  readonly drop?: 'unanswered' | 'midway';
  /** What it tells of the usage in place of the truth; `none` leaves it out. */
  readonly usage?: UsageTold;
  /** Never answers; generates everything all the same. */
  readonly hang?: boolean;
}

/** One line of the book. */
export interface BilledCall {
  /** Told to the caller as the id of the completion. */
  readonly id: string;
  readonly stream: boolean;
  /** LLM tokens generated so far. */
  tokens: number;
  /** Whether the whole answer was written. */
  isComplete: boolean;
  /** Whether it still generates. */
  isOpen: boolean;
}

export interface BillingProvider extends Fixture {
  readonly calls: readonly BilledCall[];
  /** Nano-dollars for everything generated since the start or the last `forget`. */
  total(): number;
  /** How many requests it had at once, at most. */
  mostAtOnce(): number;
  /** For the requests from now on. */
  behave(next: (request: BilledRequest) => Behaviour): void;
  /** Begins a new book. */
  forget(): void;
}

export interface BilledRequest {
  readonly model: string;
  readonly maxTokens: number;
  readonly stream: boolean;
  /** How many came before it. */
  readonly sequence: number;
}

export async function startBillingProvider(): Promise<BillingProvider> {
  const book = new Book();
  const fixture = await listen((request, response) => void book.serve(request, response));
  return {
    ...fixture,
    get calls() {
      return book.calls;
    },
    total: () => book.calls.reduce((sum, { tokens }) => sum + tokens, 0) * NANO_USD_PER_TOKEN,
    mostAtOnce: () => book.mostAtOnce,
    behave: (next) => void (book.behaviourOf = next),
    forget: () => book.forget(),
  };
}

class Book {
  calls: BilledCall[] = [];
  mostAtOnce = 0;
  behaviourOf: (request: BilledRequest) => Behaviour = () => ({});

  forget(): void {
    this.calls = [];
    this.mostAtOnce = 0;
  }

  async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const wire = billingWire(incoming.url ?? '');
    const body = JSON.parse(await readText(incoming)) as {
      model: string;
      stream?: boolean;
      max_tokens?: number;
      stream_options?: { include_usage?: boolean };
    };
    const request: BilledRequest = {
      model: body.model,
      maxTokens: body.max_tokens ?? CENT_TOKENS,
      stream: body.stream === true,
      sequence: this.calls.length,
    };
    const call: BilledCall = {
      id: `call-${crypto.randomUUID()}`,
      stream: request.stream,
      tokens: 0,
      isComplete: false,
      isOpen: true,
    };
    this.calls.push(call);
    this.mostAtOnce = Math.max(this.mostAtOnce, this.calls.filter(({ isOpen }) => isOpen).length);
    const behaviour = this.behaviourOf(request);
    const generation = new Generation(call, behaviour, behaviour.tokens ?? request.maxTokens, wire, response);
    const tellsUsage = body.stream_options?.include_usage === true || wire.alwaysTellsUsage;
    await (request.stream ? generation.stream(body.model, tellsUsage) : generation.whole(body.model));
    call.isOpen = false;
  }
}

/** The making of one answer. A caller that leaves stops it as soon as that is noticed, and not before. */
class Generation {
  readonly #call: BilledCall;
  readonly #behaviour: Behaviour;
  readonly #tokens: number;
  readonly #wire: BillingWire;
  readonly #response: ServerResponse;
  readonly #left = new AbortController();

  constructor(call: BilledCall, behaviour: Behaviour, tokens: number, wire: BillingWire, response: ServerResponse) {
    this.#call = call;
    this.#behaviour = behaviour;
    this.#tokens = tokens;
    this.#wire = wire;
    this.#response = response;
    response.on('close', () => {
      if (!response.writableFinished) this.#left.abort();
    });
  }

  async whole(model: string): Promise<void> {
    const { delayMs = 0, drop, hang, usage } = this.#behaviour;
    const begunAt = performance.now();
    await this.#pause(delayMs);
    if (this.#left.signal.aborted) {
      const share = Math.min(1, (performance.now() - begunAt) / Math.max(1, delayMs));
      this.#call.tokens = Math.ceil(this.#tokens * share);
      return;
    }
    this.#call.tokens = this.#tokens;
    if (hang === true) return this.#untilLeft();
    if (drop !== undefined) return void this.#response.destroy();
    const answer = this.#wire.whole({ id: this.#call.id, model, tokens: this.#tokens, usage });
    this.#response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    this.#call.isComplete = true;
  }

  async stream(model: string, tellsUsage: boolean): Promise<void> {
    const { delayMs = 0, tokenMs = 0, drop, hang, usage } = this.#behaviour;
    await this.#pause(delayMs);
    if (drop === 'unanswered') {
      this.#call.tokens = this.#tokens;
      return void this.#response.destroy();
    }
    const answer = { id: this.#call.id, model, tokens: this.#tokens, usage };
    this.#response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    this.#response.write(this.#wire.streamHead(answer));
    for (let index = 0; index < this.#tokens && !this.#left.signal.aborted; index++) {
      if (drop === 'midway' && index >= this.#tokens / 2) return void this.#response.destroy();
      this.#response.write(this.#wire.streamToken(answer, index));
      this.#call.tokens++;
      if (tokenMs > 0) await this.#pause(tokenMs);
    }
    if (hang === true) return this.#untilLeft();
    if (this.#left.signal.aborted) return;
    this.#response.end(this.#wire.streamTail(answer, tellsUsage));
    this.#call.isComplete = true;
  }

  async #pause(milliseconds: number): Promise<void> {
    if (milliseconds > 0) await sleep(milliseconds, undefined, { signal: this.#left.signal }).catch(() => undefined);
  }

  async #untilLeft(): Promise<void> {
    const { signal } = this.#left;
    if (signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }
}
