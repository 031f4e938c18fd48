// Requests to legacy servers by way of the object that holds the principal's session there.
import { err, ok, type Result } from '../../lib/result.ts';
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import type { Face, Listener, Listening, LinkRequest } from '../links.ts';
import type { UpstreamCallFailure } from '../ports.ts';
import { RPC } from '../protocol/errors.ts';
import type { RpcAnswer, Spoken } from '../protocol/message.ts';
import { AnsweredError } from './answered-error.ts';
import { explainFailure } from './explain-failure.ts';
import type { PrincipalOutcome, PrincipalSessionPort } from './principal-port.ts';
import { STILL_THERE } from './principal-listeners.ts';
import { toModern } from './translated-answer.ts';

/** What the older server asked for is in this form where it comes to a client of 2026-07-28. */
const INPUT_REQUIRED = 'input_required';

export interface RemoteLinkOptions {
  readonly session: PrincipalSessionPort;
  readonly face: Face;
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** The server has lists of this principal's own, which may have changed. */
  readonly onOwnLists: () => Promise<void>;
}

export interface RemoteAnswer {
  readonly result: Result<JsonObject, UpstreamCallFailure>;
  readonly suggestsModern: boolean;
}

/** As an answer of 2026-07-28. */
export async function requestRemotely(
  upstream: Upstream,
  request: LinkRequest,
  options: RemoteLinkOptions,
): Promise<RemoteAnswer> {
  const outcome = await send(upstream, request, options);
  if (outcome.hasOwnLists === true) await options.onOwnLists();
  switch (outcome.kind) {
    case 'answer':
      return { result: read(toModern(outcome.answer, request), upstream), suggestsModern: false };
    case 'asks':
      // The object forgets what it holds when nobody waits for it.
      options.waitUntil(options.session.keepHeld(outcome.handle));
      return { result: ok(asking(outcome.handle, outcome.questions)), suggestsModern: false };
    case 'gone':
      return { result: err(gone(upstream)), suggestsModern: false };
    case 'failed':
      return { result: err(outcome.failure), suggestsModern: outcome.suggestsModern === true };
  }
}

export function listenRemotely(
  upstream: Upstream,
  listening: Listening,
  { session, face, waitUntil }: Pick<RemoteLinkOptions, 'session' | 'face' | 'waitUntil'>,
  isEager: boolean,
): Listener {
  const listenerId = crypto.randomUUID();
  const opened = Promise.withResolvers<void>();
  const hear = (notification: Spoken): void => {
    opened.resolve();
    if (notification.method !== STILL_THERE.method) listening.onNotification(notification);
  };
  const ended = session.listen({ listenerId, upstream, face, uris: listening.uris, isEager }, hear);
  waitUntil(ended.finally(opened.resolve));
  return {
    opened: opened.promise,
    resubscribe: (uris) => session.resubscribe(listenerId, uris),
    close: () => waitUntil(session.unlisten(listenerId)),
  };
}

async function send(
  upstream: Upstream,
  { method, params, signal, wantsProgress, logLevel, onNotification }: LinkRequest,
  { session, face, waitUntil }: RemoteLinkOptions,
): Promise<PrincipalOutcome> {
  if (signal.aborted) return { kind: 'failed', failure: abandoned(upstream) };
  const callId = crypto.randomUUID();
  const hear = (notification: Spoken): void => onNotification?.(notification);
  const { inputResponses, requestState, ...rest } = params ?? {};
  const cancel = (): void => waitUntil(session.cancel(callId));
  signal.addEventListener('abort', cancel, { once: true });
  try {
    if (typeof requestState === 'string') {
      const responses = isObject(inputResponses) ? inputResponses : {};
      return await session.resume({ callId, handle: requestState, upstream, method, responses }, hear);
    }
    const request = { callId, upstream, face, method, wantsProgress, ...(logLevel !== undefined && { logLevel }) };
    return await session.request({ ...request, ...(params !== undefined && { params: rest }) }, hear);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function read(answer: RpcAnswer, upstream: Upstream): Result<JsonObject, UpstreamCallFailure> {
  return 'error' in answer ? err(explainFailure(new AnsweredError(answer.error), upstream, 'call')) : ok(answer.result);
}

function asking(handle: string, questions: Readonly<Record<string, Spoken>>): JsonObject {
  return { resultType: INPUT_REQUIRED, inputRequests: questions, requestState: handle };
}

/** Nobody is there to read it. */
function abandoned({ name }: Upstream): UpstreamCallFailure {
  return { code: 'upstream_timeout', stage: 'call', message: `upstream "${name}" was not asked` };
}

function gone({ name }: Upstream): UpstreamCallFailure {
  return {
    code: 'upstream_error',
    stage: 'call',
    message: `The request to "${name}" does not wait for this input any more: make it again from the beginning.`,
    answered: { code: RPC.invalidParams },
  };
}
