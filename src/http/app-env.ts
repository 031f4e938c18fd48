import type { Principal } from '../auth/principal.ts';
import type { Env } from '../env.ts';
import type { PolicySnapshot, VirtualKey } from '../policy/snapshot.ts';
import type { Services } from '../services.ts';

/** What the middleware leaves for the routes. */
export interface AppEnv {
  Bindings: Env;
  Variables: {
    requestId: string;
    /** Milliseconds since the epoch when the request arrived. */
    receivedAt: number;
    services: Services;
    /** Set behind `authenticate`. */
    snapshot: PolicySnapshot;
    virtualKey: VirtualKey;
    principal: Principal;
    /** Of an answer that goes on after its head: settles when it has ended. */
    answerEnd?: Promise<unknown>;
  };
}
