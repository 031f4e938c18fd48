// A request under way in a session at a legacy server.
import { isObject } from '../../lib/json-value.ts';
import type { LinkRequest } from '../links.ts';
import { isSevereEnough } from '../log-level.ts';
import type { RpcAnswer } from '../protocol/message.ts';
import type { Message } from './message-stream.ts';
import { Patience } from './patience.ts';
import { ownId } from './request-message.ts';

export class RunningRequest {
  readonly id = ownId();
  readonly request: LinkRequest;
  readonly patience: Patience;
  /** Aborts when it is over, however it went. */
  #over: AbortController | undefined;
  readonly #answer = Promise.withResolvers<RpcAnswer>();
  #isAnswered = false;

  /** @throws SdkError when the caller is gone already */
  constructor(request: LinkRequest, timeoutMs: number) {
    this.request = request;
    this.patience = new Patience(timeoutMs, request.signal);
    this.#answer.promise.catch(() => {});
  }

  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  get over(): AbortSignal {
    this.#over ??= new AbortController();
    return this.#over.signal;
  }

  /** Rejects when it fails, is given up or takes too long. */
  get answer(): Promise<RpcAnswer> {
    return Promise.race([this.#answer.promise, this.patience.lost]);
  }

  settle(answer: RpcAnswer): void {
    this.#isAnswered = true;
    this.#answer.resolve(answer);
  }

  fail(error: unknown): void {
    this.#answer.reject(error);
  }

  end(): void {
    this.patience.stop();
    this.#over?.abort();
  }

  /** Hands on what the server says about it. */
  heed({ method, params }: Message): void {
    const { onNotification, wantsProgress, logLevel } = this.request;
    if (typeof method !== 'string' || this.patience.reason !== undefined) return;
    const said = isObject(params) ? params : undefined;
    if (method === 'notifications/progress') {
      if (!wantsProgress) return;
      this.patience.restart();
      const { progressToken: _, ...progress } = said ?? {};
      onNotification?.({ method, params: progress });
    } else if (method !== 'notifications/message' || logLevel === undefined || isSevereEnough(said, logLevel)) {
      onNotification?.({ method, ...(said !== undefined && { params: said }) });
    }
  }
}
