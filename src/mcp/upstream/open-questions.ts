// What a legacy server asks of its client and has not been answered yet.
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import type { Ask, Face } from '../links.ts';
import { RPC, rpcError } from '../protocol/errors.ts';
import type { RpcAnswer, RpcId, RpcRequest } from '../protocol/message.ts';
import type { Wire } from './wire.ts';

/** More than any client could show at once. */
const MOST_OPEN = 64;
/** What a client must have declared to be asked. */
const CAPABILITIES: Readonly<Record<string, string>> = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
};

/** Whose question it is: the server's ids are its own, and may be the same on two streams. */
export interface Asker {
  readonly stream: number | undefined;
  readonly ask: Ask | undefined;
  /** Aborts when nobody is there to answer any more. */
  readonly gone?: AbortSignal;
  readonly onAsked?: () => void;
  readonly onAnswered?: () => void;
}

export class OpenQuestions {
  readonly #wire: Pick<Wire, 'tell'>;
  readonly #capabilities: JsonObject;
  readonly #waitUntil: (work: Promise<unknown>) => void;
  readonly #open = new Map<string, { readonly id: RpcId; readonly withdrawn: AbortController }>();

  constructor(wire: Pick<Wire, 'tell'>, face: Face, waitUntil: (work: Promise<unknown>) => void) {
    this.#wire = wire;
    this.#capabilities = face.capabilities;
    this.#waitUntil = waitUntil;
  }

  ask({ id, method, params }: RpcRequest, asker: Asker): void {
    const key = JSON.stringify([asker.stream, id]);
    // A stream taken up again may repeat what it had said.
    if (this.#open.has(key)) return;
    const refusal = this.#refusal(method, asker);
    if (refusal !== undefined || asker.ask === undefined) {
      this.#waitUntil(this.#wire.tell({ jsonrpc: '2.0', id, ...refusal }));
      return;
    }
    const withdrawn = new AbortController();
    this.#open.set(key, { id, withdrawn });
    const signal = asker.gone === undefined ? withdrawn.signal : AbortSignal.any([withdrawn.signal, asker.gone]);
    asker.onAsked?.();
    const { ask, onAnswered } = asker;
    const relay = async (): Promise<void> => {
      const answer = await ask({ method, ...(params !== undefined && { params }) }, signal);
      this.#open.delete(key);
      onAnswered?.();
      // One that was withdrawn wants no answer; one whose request is over gets what there is.
      if (!withdrawn.signal.aborted) await this.#wire.tell({ jsonrpc: '2.0', id, ...answer });
    };
    this.#waitUntil(relay());
  }

  /** The server takes a question back; it names it by its id alone. */
  withdraw(params: unknown): void {
    const id = isObject(params) ? params['requestId'] : undefined;
    for (const question of this.#open.values()) if (question.id === id) question.withdrawn.abort('withdrawn');
  }

  #refusal(method: string, { ask }: Asker): RpcAnswer | undefined {
    if (method === 'ping') return { result: {} };
    const capability = CAPABILITIES[method];
    if (capability !== undefined && this.#capabilities[capability] === undefined) {
      const text = `${method} was not delivered: the client did not declare ${capability}`;
      return rpcError(RPC.methodNotFound, text, { requiredCapabilities: { [capability]: {} } });
    }
    if (ask === undefined)
      return rpcError(RPC.internalError, `${method} was not delivered: no client is there to answer it`);
    if (this.#open.size < MOST_OPEN) return undefined;
    return rpcError(RPC.internalError, `${method} was not delivered: ${MOST_OPEN} questions are open already`);
  }
}
