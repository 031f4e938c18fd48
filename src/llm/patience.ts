// Ends a call that its caller left or its provider let hang.
import { asEgressError, EgressError } from '../egress/egress-error.ts';

export class Patience {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #silenceMs: number;
  readonly #now: () => number;
  #timer: ReturnType<typeof setTimeout>;
  #heardAt: number;
  #silence: EgressError | undefined;

  /** @param silenceMs how long the provider may say nothing, from the request to its headers and between two chunks */
  constructor(caller: AbortSignal, silenceMs: number, now: () => number) {
    this.#caller = caller;
    this.#silenceMs = silenceMs;
    this.#now = now;
    this.#heardAt = now();
    this.#timer = setTimeout(this.#check, silenceMs);
    if (caller.aborted) this.#leave();
    else caller.addEventListener('abort', this.#leave);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get callerLeft(): boolean {
    return this.#caller.aborted;
  }

  /** What a fault of the call means: what an abort was for does not survive its way through the runtime. */
  explain(fault: unknown): EgressError | undefined {
    return this.#silence ?? asEgressError(fault);
  }

  /** The provider was heard. Cheap: the timer is set anew only when it goes off too early. */
  heard(): void {
    this.#heardAt = this.#now();
  }

  /** The call is over. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller.removeEventListener('abort', this.#leave);
  }

  /** Ends the call now. */
  readonly #leave = (): void => {
    this.#controller.abort(new DOMException('The caller left.', 'AbortError'));
  };

  readonly #check = (): void => {
    const left = this.#heardAt + this.#silenceMs - this.#now();
    if (left > 0) {
      this.#timer = setTimeout(this.#check, left);
      return;
    }
    this.#silence = silent(this.#silenceMs);
    this.#controller.abort(this.#silence);
  };
}

function silent(milliseconds: number): EgressError {
  return new EgressError('upstream_timeout', 'may_have_run', `said nothing for ${milliseconds / 1000} s`);
}
