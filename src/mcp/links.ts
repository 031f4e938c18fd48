// The port between the methods and the upstreams. A link speaks the upstream's era and makes it look as if it were the
// client's: the methods never see which of the two it was.
//
// - To a client of 2026-07-28 every answer looks modern. A legacy server that asks something in the midst of a call is
//   held, and the answer is `input_required` with a handle as its `requestState`; the retry goes on where it stood.
// - To a legacy client every server looks legacy. What a modern server requires is asked of the client through `ask`,
//   and the request is made again with what it said, until the result is complete.
import type { ClientCapabilities, Implementation, LoggingLevel } from '@modelcontextprotocol/client';
import type { JsonObject } from '../lib/json-value.ts';
import type { Result } from '../lib/result.ts';
import type { Upstream } from '../policy/snapshot.ts';
import type { RpcAnswer, Spoken } from './protocol/message.ts';
import type { UpstreamCallFailure } from './ports.ts';

export type Era = 'modern' | 'legacy';

/** The client as its upstreams are to see it. */
export interface Face {
  readonly info?: Implementation;
  /** What it can be asked: roots, sampling, elicitation, extensions. */
  readonly capabilities: ClientCapabilities;
}

/**
 * Asks the client, in the midst of one of its requests, and waits for what it says. Never rejects.
 * @param withdrawn aborts when the upstream does not want to know any more; the answer is then of no interest
 */
export type Ask = (request: Spoken, withdrawn: AbortSignal) => Promise<RpcAnswer>;

export interface LinkRequest {
  readonly method: string;
  /**
   * As the upstream is to read it: wire names, `_meta` without the keys of the client's own hop (envelope, progress
   * token). For a modern client `inputResponses` and the upstream's own `requestState` are in it. Absent stays absent.
   */
  readonly params?: JsonObject;
  /** Cancels the request at the upstream too, in the way of its era. */
  readonly signal: AbortSignal;
  /** Asks the upstream for progress. */
  readonly wantsProgress: boolean;
  /** The least severe log messages the client wants to read; none when absent. */
  readonly logLevel?: LoggingLevel;
  /**
   * What the upstream says about this request before it answers. Progress comes without its token.
   * Changed lists and resources come through `listen` instead, whatever stream they arrived on.
   */
  readonly onNotification?: (notification: Spoken) => void;
  /** Given for legacy clients only. */
  readonly ask?: Ask;
  /**
   * The upstream closed the stream of this request and will go on with it when it is taken up again: a legacy client may
   * be sent away likewise. @param retryMs how long the upstream wants to be left alone
   */
  readonly onPause?: (retryMs: number | undefined) => void;
}

export interface Listening {
  /** Resources, by the upstream's own URIs, whose updates are to be told. */
  readonly uris: readonly string[];
  /** Changed lists, updated resources and, from a legacy server, log messages that belong to no request. */
  readonly onNotification: (notification: Spoken) => void;
  /** What a legacy server asks outside of any request. */
  readonly ask?: Ask;
}

export interface Listener {
  /** Settles when it hears, or will not for now; left out where it hears at once. Never rejects. */
  readonly opened?: Promise<void>;
  /** Replaces the resources listened to. @returns the upstream's refusal, where it refuses one */
  resubscribe(uris: readonly string[]): Promise<UpstreamCallFailure | undefined>;
  /** Ends it, at the upstream too. */
  close(): void;
}

/** The upstreams of one client, in its own sessions. */
export interface UpstreamLinks {
  /** One request, whole. The result is the upstream's own, unknown members included; without `resultType` for a legacy client. */
  request(upstream: Upstream, request: LinkRequest): Promise<Result<JsonObject, UpstreamCallFailure>>;
  /**
   * Hears what the upstream says unasked, for as long as it is open; opened again by itself, with backoff, when the
   * upstream ends it. An upstream that has nothing to say unasked is left alone.
   */
  listen(upstream: Upstream, listening: Listening): Listener;
}
