// The requests of a client that are being worked on, by its own ids. Two of one id are two requests all the same.
import type { RpcId } from '../protocol/message.ts';

export interface RunningRequest {
  readonly id: RpcId;
  /** Aborts when the client cancels it, or may have it no more. */
  readonly signal: AbortSignal;
}

export class RunningRequests {
  readonly #running = new Map<RunningRequest, AbortController>();

  get size(): number {
    return this.#running.size;
  }

  begin(id: RpcId): RunningRequest {
    const controller = new AbortController();
    const request = { id, signal: controller.signal };
    this.#running.set(request, controller);
    return request;
  }

  end(request: RunningRequest): void {
    this.#running.delete(request);
  }

  /** @param reason told to the upstream */
  abort(id: RpcId, reason: string): void {
    for (const [request, controller] of this.#running) if (request.id === id) controller.abort(reason);
  }

  abortAll(reason: string): void {
    for (const controller of this.#running.values()) controller.abort(reason);
  }
}
