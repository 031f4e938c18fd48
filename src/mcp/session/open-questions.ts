// What the session asked its client and has no answer to yet, under ids of its own: those of upstreams would collide.
import { newId } from '../../lib/ids.ts';
import { at, isObject } from '../../lib/json-value.ts';
import type { ClientCapabilities } from '@modelcontextprotocol/server';
import { RPC, rpcError } from '../protocol/errors.ts';
import type { RpcAnswer, RpcResponse, Spoken } from '../protocol/message.ts';

/** A user may have to think; the upstream's own deadline is another matter. */
const ANSWER_WITHIN_MS = 5 * 60_000;
const MOST_OPEN = 100;

interface Question {
  readonly resolve: (answer: RpcAnswer) => void;
}

export interface QuestionOptions {
  readonly now: () => number;
  readonly capabilities: () => ClientCapabilities;
}

export class OpenQuestions {
  readonly #open = new Map<string, Question>();
  readonly #options: QuestionOptions;

  constructor(options: QuestionOptions) {
    this.#options = options;
  }

  /**
   * Never rejects.
   * @param tell reaches the client, now or when it comes back
   */
  ask(request: Spoken, withdrawn: AbortSignal, tell: (message: unknown) => void): Promise<RpcAnswer> {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) return Promise.resolve(refusal);
    if (withdrawn.aborted) return Promise.resolve(noAnswer('The question was withdrawn.'));
    const id = newId('ask', this.#options.now());
    const { promise, resolve } = Promise.withResolvers<RpcAnswer>();
    const withdraw = (reason: string): void => {
      if (!this.#open.has(id)) return;
      tell({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, reason } });
      this.#settle(id, noAnswer(reason));
    };
    const onWithdrawn = (): void => withdraw('The server does not need the answer any more.');
    const timer = setTimeout(() => withdraw('The client did not answer in time.'), ANSWER_WITHIN_MS);
    withdrawn.addEventListener('abort', onWithdrawn);
    this.#open.set(id, {
      resolve: (answer) => {
        clearTimeout(timer);
        withdrawn.removeEventListener('abort', onWithdrawn);
        resolve(answer);
      },
    });
    tell({ jsonrpc: '2.0', id, ...request });
    return promise;
  }

  /** An answer to what was not asked, or not any more, is of no consequence. */
  answer(response: RpcResponse): void {
    const { id } = response;
    if (typeof id !== 'string') return;
    this.#settle(id, 'error' in response ? { error: response.error } : { result: response.result });
  }

  /** The session is over. */
  close(): void {
    for (const id of this.#open.keys()) this.#settle(id, noAnswer('The session of the client has ended.'));
  }

  #settle(id: string, answer: RpcAnswer): void {
    const question = this.#open.get(id);
    this.#open.delete(id);
    question?.resolve(answer);
  }

  #refusal({ method, params }: Spoken): RpcAnswer | undefined {
    const capabilities = this.#options.capabilities();
    if (!canBeAsked(capabilities, method, params))
      return rpcError(RPC.methodNotFound, `The client cannot be asked for ${method}.`);
    if (this.#open.size >= MOST_OPEN)
      return rpcError(RPC.internalError, `The client has ${MOST_OPEN} questions to answer already.`);
    return undefined;
  }
}

function canBeAsked(capabilities: ClientCapabilities, method: string, params: Spoken['params']): boolean {
  switch (method) {
    case 'sampling/createMessage':
      return capabilities.sampling !== undefined;
    case 'roots/list':
      return capabilities.roots !== undefined;
    case 'elicitation/create':
      return params?.['mode'] === 'url' ? isObject(at(capabilities, 'elicitation', 'url')) : elicitsForms(capabilities);
    default:
      // An extension is between the two ends.
      return true;
  }
}

/** An empty capability means forms (2025-11-25, elicitation, "Capabilities"). */
function elicitsForms({ elicitation }: ClientCapabilities): boolean {
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

function noAnswer(reason: string): RpcAnswer {
  return rpcError(RPC.internalError, reason);
}
