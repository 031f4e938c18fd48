// One request of a client, as the methods need to know it, whatever era and transport it came by.
import type { LoggingLevel } from '@modelcontextprotocol/server';
import type { Recorder } from '../audit/recorder.ts';
import type { LimitPorts } from '../budget/admit.ts';
import type { Result } from '../lib/result.ts';
import type { Upstream } from '../policy/snapshot.ts';
import type { Ask, Era, Face, UpstreamLinks } from './links.ts';
import type { UpstreamCallFailure, UpstreamViews } from './ports.ts';
import type { RpcAnswer, RpcId, Spoken } from './protocol/message.ts';
import type { ToolCaller, ToolInvoker } from './tool-call.ts';

/** Who asks. */
export interface Peer {
  readonly era: Era;
  /** A revision such as `2025-11-25`. */
  readonly protocolVersion: string;
  readonly face: Face;
  /** Of this request (2026-07-28) or of the session; no log messages when absent. */
  readonly logLevel?: LoggingLevel;
}

export interface ClientRequest extends LimitPorts {
  readonly peer: Peer;
  readonly caller: ToolCaller;
  readonly links: UpstreamLinks;
  readonly upstreamViews: UpstreamViews;
  readonly toolInvoker: ToolInvoker;
  readonly recorder: Recorder;
  /** Of the request's body. */
  readonly requestBytes: number;
  /** Aborts when the client cancels or, in the modern era, hangs up. */
  readonly signal: AbortSignal;
  /** Tells the client something on this request's own stream, before its answer. Never throws. */
  readonly notify: (notification: Spoken) => void;
  /** Of legacy clients only: in the modern era a result asks. */
  readonly ask?: Ask;
  /** Of legacy clients that accept it: ends the stream of this request for now; the client takes it up again. */
  readonly onPause?: (retryMs: number | undefined) => void;
  /** Of modern clients only. */
  readonly requestStates?: RequestStates;
  /** Of legacy clients only. */
  readonly session?: SessionControls;
}

/** What of a session its client changes by requests. */
export interface SessionControls {
  setLogLevel(level: LoggingLevel): Promise<void>;
  /** @param uri of the upstream itself; `shownUri` is the client's name for it, under which updates are told */
  subscribe(upstream: Upstream, uri: string, shownUri: string): Promise<Result<undefined, UpstreamCallFailure>>;
  unsubscribe(upstream: Upstream, uri: string): Promise<void>;
}

/** What a seal is bound to: a state is worth nothing to another principal or for another request. */
export interface RequestStateBinding {
  readonly principal: string;
  readonly method: string;
  readonly upstream: string;
  /** SHA-256 of the canonical parameters, those aside that differ between the rounds of one request. */
  readonly digest: string;
}

/** Seals upstreams' `requestState` (2026-07-28, MRTR) so that clients can neither read, alter nor move it. */
export interface RequestStates {
  seal(state: string | undefined, binding: RequestStateBinding): Promise<string>;
  /** @returns undefined for what is forged, expired or sealed for something else */
  open(sealed: string, binding: RequestStateBinding): Promise<{ readonly state?: string } | undefined>;
}

/**
 * Answers one request: whatever the client did wrong and whatever an upstream answered is in the answer. Rejects only
 * for a fault of the gateway.
 */
export type ServeRequest = (request: ClientRequest, message: Spoken & { readonly id: RpcId }) => Promise<RpcAnswer>;
