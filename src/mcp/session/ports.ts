// What a session needs of the object it lives in, and what it answers to it.
import type { LoggingLevel } from '@modelcontextprotocol/server';
import type { Recorder } from '../../audit/recorder.ts';
import type { LimitPorts } from '../../budget/admit.ts';
import type { SessionHolder } from '../../auth/session-id.ts';
import type { Tags } from '../../audit/tags.ts';
import type { ServeRequest } from '../client-request.ts';
import type { Face } from '../links.ts';
import type { Narrowing } from '../narrowing.ts';
import type { RpcId } from '../protocol/message.ts';
import type { ToolCaller, ToolInvoker } from '../tool-call.ts';
import type { SessionLinks } from '../upstream/session-links.ts';
import type { SessionStore as UpstreamSessionStore } from '../upstream/session-store.ts';

/** `sse` is the transport of 2024-11-05: answers come on the one stream that the client keeps open. */
export type SessionTransport = 'streamable' | 'sse';

/** What a session is besides its events, subscriptions and upstream sessions. */
export interface SessionState {
  readonly nonce: string;
  readonly slot: number;
  readonly keyId: string;
  readonly endpoint?: string;
  readonly transport: SessionTransport;
  /** As the client knows it. */
  readonly sessionId: string;
  /** A revision such as `2025-11-25`. */
  readonly protocolVersion: string;
  readonly face: Face;
  readonly logLevel?: LoggingLevel;
  /** The stream for what belongs to no request. */
  readonly standaloneStream: string;
  /** Unused for so long, it ends. */
  readonly idleMs: number;
}

export interface Subscription {
  readonly upstream: string;
  /** The upstream's own. */
  readonly uri: string;
  /** The client's name for it. */
  readonly shownUri: string;
}

export interface StoredEvent {
  readonly stream: string;
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** A JSON-RPC message. */
  readonly data: string;
}

export interface StoredStream {
  readonly name: string;
  /** Requests that are not answered yet. */
  readonly open: readonly RpcId[];
}

/** What of a session outlives memory. Synchronous, so that one turn is one commit. */
export interface SessionStore {
  /** Of the session that is here. */
  state(): SessionState;
  setState(state: SessionState): void;
  subscriptions(): readonly Subscription[];
  subscribe(subscription: Subscription): void;
  unsubscribe(upstream: string, uri: string): void;
  readonly events: StoredEvents;
  readonly upstreamSessions: UpstreamSessionStore;
}

export interface StoredEvents {
  /** Remembers that requests wait for their answers on a stream, or which of them still do. */
  setStream(stream: StoredStream): void;
  /** Undefined where nothing of it is stored. */
  stream(name: string): { readonly open: readonly RpcId[]; readonly events: readonly StoredEvent[] } | undefined;
  /** Adds the events, and forgets those of before `keptSince` and those beyond the newest `most`. */
  append(events: readonly StoredEvent[], bounds: { readonly keptSince: number; readonly most: number }): void;
}

/** Of one HTTP request. */
export interface SessionCall {
  readonly nonce: string;
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** The `User-Agent`. */
  readonly client?: string;
  readonly tags?: Tags;
  readonly narrowing: Narrowing;
}

/** A GET for a stream. */
export interface SessionListen {
  readonly nonce: string;
  /** Where the client stopped reading. */
  readonly lastEventId?: string;
  readonly narrowing: Narrowing;
}

export interface SessionPost extends SessionCall {
  /** One JSON-RPC message, or an array of them. */
  readonly body: unknown;
  readonly bytes: number;
  /** The client would rather have a stream than plain JSON. */
  readonly prefersStream: boolean;
}

export type SessionRefusal =
  /** Ended, expired or never begun. */
  | 'unknown_session'
  /** The key may not use the endpoint any more. */
  | 'revoked'
  /** The session has its stream already. */
  | 'stream_open'
  | 'unknown_event'
  | 'invalid_message'
  | 'too_many_messages';

export type SessionAnswer =
  /** One JSON-RPC message or an array of them; a stream where it is large. */
  | { readonly kind: 'json'; readonly json: string | ReadableStream<Uint8Array> }
  | { readonly kind: 'stream'; readonly events: ReadableStream<Uint8Array> }
  /** Nothing was asked. */
  | { readonly kind: 'accepted' }
  /** What was to be resumed is over, and all of it was received. */
  | { readonly kind: 'over' }
  | { readonly kind: 'refused'; readonly refusal: SessionRefusal };

/** What of a caller the configuration says. */
export type Standing = Pick<ToolCaller, 'virtualKey' | 'scope' | 'settings'>;

/** The upstreams as the client knows them. */
export interface SessionUpstreams {
  readonly links: SessionLinks;
  readonly toolInvoker: ToolInvoker;
}

export interface SessionParts extends LimitPorts {
  readonly store: SessionStore;
  /** Keeps the object alive until then. */
  readonly waitUntil: (work: Promise<unknown>) => void;
  /**
   * By the present configuration. @returns undefined where the key may not use the endpoint, or is no more
   * @throws when there is no configuration to judge by
   */
  readonly standing: (holder: SessionHolder, narrowing: Narrowing) => Promise<Standing | undefined>;
  readonly recorder: Recorder;
  readonly upstreams: (state: SessionState) => SessionUpstreams;
  readonly serve: ServeRequest;
}
