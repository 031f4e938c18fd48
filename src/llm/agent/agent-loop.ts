// A call of a model with the gateway's tools: the model is called, what it asks for is run, and it is called again with
// the results, until it asks for nothing that the gateway may run.
import type { NanoUsd } from '../../budget/money.ts';
import { toNanoUsd } from '../../budget/money.ts';
import { newId } from '../../lib/ids.ts';
import { isObject, parseJson, type JsonObject } from '../../lib/json-value.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { SseParser } from '../../lib/sse-parser.ts';
import type { Failure } from '../../policy/failure.ts';
import { callModel, type LlmAnswer, type LlmPorts, type LlmRequest } from '../call-model.ts';
import type { LlmCaller } from '../call-record.ts';
import type { AgentDialect, ModelTurn, Round, StreamSplice } from './dialect.ts';
import { KEEP_ALIVE_MS } from './limits.ts';
import { offerOf, toolsToOffer } from './offered-tools.ts';
import { withItems, withMember } from './request-edit.ts';
import { runTools } from './tool-round.ts';
import type { Toolbox, ToolRun } from './toolbox.ts';

export interface AgentPorts extends LlmPorts {
  readonly toolbox: Toolbox;
  /** Words a failure in the caller's dialect, for a stream that has begun. */
  readonly errorBody: (failure: Failure) => Promise<JsonObject>;
}

export interface AgentRequest extends LlmRequest {
  readonly agent: AgentDialect;
  /** How many times tools may be run and the model called again. */
  readonly maxDepth: number;
}

/** One `llm.call` event for each call of the model and one `tool.call` event for each of a tool. */
export async function callWithTools(
  ports: AgentPorts,
  caller: LlmCaller,
  request: AgentRequest,
): Promise<Result<LlmAnswer, Failure>> {
  const { agent } = request;
  if (!isObject(request.body.value)) return callModel(ports, caller, request);
  const restored = agent.restored(request.body.value);
  const body = restored === undefined ? request.body : withMember(request.body, agent.conversation, restored);
  const tools = toolsToOffer(await ports.toolbox.list(), agent, body, request.headers.get('host'));
  const offers = tools.map((tool) => offerOf(tool, agent));
  const auto = new Set(tools.filter(({ autoExecute }) => autoExecute).map(({ name }) => name));
  const offering = { ...request, body: withItems(body, 'tools', offers) };
  if (auto.size === 0 || agent.forcesTools(body.value)) return callModel(ports, caller, offering);

  const loop = new AgentLoop(ports, caller, offering, auto);
  const first = await loop.callModel();
  if (!first.ok || !isSuccess(first.value)) return first;
  return isEventStream(first.value) ? ok({ ...first.value, ...loop.stream(first.value) }) : loop.answer(first.value);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

class AgentLoop {
  readonly #ports: AgentPorts;
  readonly #caller: LlmCaller;
  readonly #auto: ReadonlySet<string>;
  /** Aborts when the caller leaves. */
  readonly #left = new AbortController();
  readonly #signal: AbortSignal;
  #request: AgentRequest;
  #firstEventId: string | undefined;
  #eventId = '';
  #cost: NanoUsd | undefined = toNanoUsd(0);
  #upstreamMs = 0;

  constructor(ports: AgentPorts, caller: LlmCaller, request: AgentRequest, auto: ReadonlySet<string>) {
    this.#ports = ports;
    this.#caller = caller;
    this.#request = request;
    this.#auto = auto;
    this.#signal = AbortSignal.any([request.signal, this.#left.signal]);
  }

  /** The model's next turn. Each call is recorded under an id known beforehand, for its tool calls to refer to. */
  async callModel(): Promise<Result<LlmAnswer, Failure>> {
    const now = this.#ports.now();
    this.#eventId = newId('evt', now);
    const later = this.#firstEventId === undefined ? {} : { parentId: this.#firstEventId, receivedAt: now };
    this.#firstEventId ??= this.#eventId;
    const caller = { ...this.#caller, ...later, eventId: this.#eventId };
    const answer = await callModel(this.#ports, caller, { ...this.#request, signal: this.#signal });
    if (!answer.ok) return answer;
    const { cost, upstreamMs } = answer.value;
    this.#upstreamMs += upstreamMs;
    this.#cost = cost === undefined || this.#cost === undefined ? undefined : toNanoUsd(this.#cost + cost);
    return answer;
  }

  /** The one answer to the caller, from the first turn on. */
  async answer(first: LlmAnswer): Promise<Result<LlmAnswer, Failure>> {
    const { agent, maxDepth } = this.#request;
    const rounds: Round[] = [];
    for (let answer = first; ;) {
      const bytes = await wholeBody(answer);
      const value = parseJson(decoder.decode(bytes));
      // An error in a later turn is the answer: the caller learns of it as it would of one in the first.
      if (!isSuccess(answer) || !isObject(value)) return ok({ ...answer, body: bytes });
      const turn = agent.readAnswer(value);
      if (rounds.length >= maxDepth || !this.#mayRun(turn))
        return ok(this.#summedUp(answer, rounds.length === 0 ? bytes : encode(agent.composed(rounds, value))));
      const runs = await this.#run(turn);
      rounds.push({ answer: value, runs });
      const next = await this.callModel();
      if (!next.ok) return err(next.error);
      answer = next.value;
    }
  }

  /** The streams of all turns as one, from the first on. */
  stream(first: LlmAnswer): { readonly body: ReadableStream<Uint8Array>; readonly over: Promise<void> } {
    const turns = this.#relay(first);
    const { promise: over, resolve: isOver } = Promise.withResolvers<void>();
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await turns.next().catch((fault: unknown) => {
          isOver();
          throw fault;
        });
        if (done !== true) return controller.enqueue(value);
        isOver();
        controller.close();
      },
      cancel: async () => {
        this.#left.abort();
        // What is under way fails by the abort; nobody is left to be told.
        await turns.return(undefined).catch(() => undefined);
        isOver();
      },
    });
    return { body, over };
  }

  async *#relay(first: LlmAnswer): AsyncGenerator<Uint8Array, undefined> {
    const { agent, maxDepth } = this.#request;
    const splice = agent.createSplice((name) => this.#auto.has(name));
    let answer = first;
    for (let depth = 0; ; depth++) {
      splice.beginTurn(depth < maxDepth);
      yield* spliced(answer, splice);
      const turn = splice.endTurn();
      if (turn === undefined || !this.#mayRun(turn)) {
        yield* wire(splice.release());
        return undefined;
      }
      yield* wire(splice.running(turn.toolUses));
      const runs = yield* keptAlive(this.#run(turn));
      yield* wire(splice.ran(runs));
      const next = yield* keptAlive(this.callModel());
      if (!next.ok || !isEventStream(next.value)) {
        yield* wire(splice.fail(next.ok ? await errorIn(next.value) : await this.#ports.errorBody(next.error)));
        return undefined;
      }
      answer = next.value;
    }
  }

  #mayRun({ toolUses, canContinue }: ModelTurn): boolean {
    return canContinue && toolUses.length > 0 && toolUses.every(({ name }) => this.#auto.has(name));
  }

  /** Runs the turn's tools and takes both into the conversation. */
  async #run(turn: ModelTurn): Promise<readonly ToolRun[]> {
    const runs = await runTools(this.#ports.toolbox, turn.toolUses, {
      signal: this.#signal,
      parentId: this.#eventId,
    });
    const { agent, body } = this.#request;
    const change = agent.continued(body.value, turn.said, runs);
    this.#request = {
      ...this.#request,
      body:
        'add' in change
          ? withItems(body, agent.conversation, change.add)
          : withMember(body, agent.conversation, change.replace),
    };
    return runs;
  }

  #summedUp(answer: LlmAnswer, body: Uint8Array): LlmAnswer {
    const { cost: _cost, ...rest } = answer;
    return { ...rest, body, ...(this.#cost !== undefined && { cost: this.#cost }), upstreamMs: this.#upstreamMs };
  }
}

async function* spliced({ body }: LlmAnswer, splice: StreamSplice): AsyncGenerator<Uint8Array, undefined> {
  let text = '';
  const parser = new SseParser((event) => {
    text += splice.read(event);
  });
  for await (const chunk of new Response(body).body ?? []) {
    parser.feed(chunk);
    yield* wire(text);
    text = '';
  }
}

function* wire(text: string): Generator<Uint8Array, undefined> {
  if (text !== '') yield encoder.encode(text);
}

const KEEP_ALIVE = encoder.encode(': keepalive\n\n');

/** Waits, and writes now and then: only a write that fails tells that the caller left. */
async function* keptAlive<T>(work: Promise<T>): AsyncGenerator<Uint8Array, T> {
  let isOver = false;
  const over = work.then(
    () => void (isOver = true),
    () => void (isOver = true),
  );
  for (;;) {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const pause = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, KEEP_ALIVE_MS);
    });
    await Promise.race([over, pause]);
    if (timer !== null) clearTimeout(timer);
    if (isOver) return work;
    yield KEEP_ALIVE;
  }
}

function isSuccess({ status }: LlmAnswer): boolean {
  return status === 200;
}

function isEventStream(answer: LlmAnswer): boolean {
  return isSuccess(answer) && answer.headers.get('content-type')?.startsWith('text/event-stream') === true;
}

async function wholeBody({ body }: LlmAnswer): Promise<Uint8Array> {
  return body instanceof Uint8Array ? body : new Uint8Array(await new Response(body).arrayBuffer());
}

/** What a provider says in place of the stream that was to follow. */
async function errorIn(answer: LlmAnswer): Promise<JsonObject> {
  const value = parseJson(decoder.decode(await wholeBody(answer)));
  if (isObject(value)) return value;
  return {
    type: 'error',
    error: { type: 'api_error', message: `The provider answered with status ${answer.status}.` },
  };
}

function encode(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}
