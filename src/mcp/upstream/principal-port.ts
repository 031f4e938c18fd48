// Sessions at legacy servers for clients that have none themselves: each lives in an object of its own, and so do the
// calls that wait for what their user says. Plain values in and out, since these calls cross objects.
import type { LoggingLevel } from '@modelcontextprotocol/client';
import type { JsonObject } from '../../lib/json-value.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import type { Face } from '../links.ts';
import type { Catalog, UpstreamCallFailure } from '../ports.ts';
import type { RpcAnswer, Spoken } from '../protocol/message.ts';

export interface PrincipalRequest {
  /** Chance, to cancel it by. */
  readonly callId: string;
  readonly upstream: Upstream;
  readonly face: Face;
  readonly method: string;
  readonly params?: JsonObject;
  readonly wantsProgress: boolean;
  readonly logLevel?: LoggingLevel;
}

/** The next round of a call that asked for input. */
export interface PrincipalResumption {
  readonly callId: string;
  readonly handle: string;
  readonly upstream: Upstream;
  readonly method: string;
  /** By the keys of the questions. */
  readonly responses: JsonObject;
}

export type PrincipalOutcome = (
  | { readonly kind: 'answer'; readonly answer: RpcAnswer }
  /** The server asked; `handle` resumes the call, once. */
  | { readonly kind: 'asks'; readonly handle: string; readonly questions: Readonly<Record<string, Spoken>> }
  /** No call waits under this handle. */
  | { readonly kind: 'gone' }
  | {
      readonly kind: 'failed';
      readonly failure: UpstreamCallFailure;
      /** The handshake was refused as a server does that speaks 2026-07-28 only. */
      readonly suggestsModern?: boolean;
    }
) & {
  /** The server has lists of its own for this principal, or had, and they may have changed. */
  readonly hasOwnLists?: true;
};

/** Resolves when the notification has been taken; rejects when nobody is there any more. */
export type Hear = (notification: Spoken) => void | Promise<void>;

export interface PrincipalSessionPort {
  request(request: PrincipalRequest, hear: Hear): Promise<PrincipalOutcome>;
  resume(resumption: PrincipalResumption, hear: Hear): Promise<PrincipalOutcome>;
  /** Cancels a request under way, at the upstream too. */
  cancel(callId: string): Promise<void>;
  /** Resolves when nothing waits under the handle any more; until then the call keeps the object in memory. */
  keepHeld(handle: string): Promise<void>;
  /** Resolves when `unlisten` ended it or nobody takes what is told. */
  listen(listening: PrincipalListening, hear: Hear): Promise<void>;
  resubscribe(listenerId: string, uris: readonly string[]): Promise<UpstreamCallFailure | undefined>;
  unlisten(listenerId: string): Promise<void>;
  /** The lists of this principal's own; absent where there are none, `unchanged` where they are those known. */
  ownLists(
    upstream: Upstream,
    face: Face,
    known: string | undefined,
  ): Promise<{ readonly catalog?: Catalog; readonly unchanged?: true }>;
}

export interface PrincipalListening {
  /** Chance. */
  readonly listenerId: string;
  readonly upstream: Upstream;
  readonly face: Face;
  readonly uris: readonly string[];
  /** Opens a session for this alone. */
  readonly isEager: boolean;
}

/** What such an object does. */
export interface PrincipalWork extends PrincipalSessionPort {
  /** @returns the upstreams among those named whose sessions are in use, and go on */
  endSessions(upstreams: readonly string[]): Promise<readonly string[]>;
}

/** The object of a name. */
export type PrincipalSessions = (name: string) => PrincipalSessionPort;
