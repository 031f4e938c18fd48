// A read of a resource, a prompt, a request of an extension: from permission to record. Their events leave in batches.
import { describeFault, log } from '../lib/log.ts';
import { err } from '../lib/result.ts';
import type { JsonObject } from '../lib/json-value.ts';
import { authorize, type Action } from '../policy/authorize.ts';
import { failure } from '../policy/failure.ts';
import type { ClientRequest } from './client-request.ts';
import { hopOf, relayedParams } from './hop.ts';
import { isGranted, type Grant } from './scope.ts';
import { relayedEvent, type RelayedSubject } from './request-event.ts';
import { admitRequest, settleRequest, type Admitted } from './request-limits.ts';
import { failedHere, readyView, requestUpstream, type Attempt } from './upstream-round.ts';

export interface RelayedRequest extends Omit<RelayedSubject, 'upstream' | 'requestBytes'> {
  /** Absent where nothing in the scope answers to what the client named. */
  readonly grant?: Grant;
  readonly method: string;
  /** With wire names. */
  readonly params: JsonObject;
}

/** Fails with `not_found` for what is not there and for what the key may not know of alike. */
export async function relayRequest(request: ClientRequest, relayed: RelayedRequest): Promise<Attempt['outcome']> {
  const attempt = await attemptRequest(request, relayed);
  const { grant, kind, subject, arguments: given } = relayed;
  const { caller, recorder, requestBytes, now } = request;
  const about = {
    kind,
    upstream: grant?.upstream.name ?? '',
    subject,
    requestBytes,
    ...(given !== undefined && { arguments: given }),
  };
  try {
    const { charges } = attempt.admitted === undefined ? {} : settleRequest(attempt.admitted, attempt);
    recorder.batched(caller.virtualKey.principal.payer, await relayedEvent(caller, about, attempt, now()), charges);
  } catch (fault) {
    log('error', 'audit.event.lost', { request_id: caller.requestId, fault: describeFault(fault) });
    return err(failure('audit_unavailable', 'The request could not be recorded, so its result is withheld.'));
  }
  return attempt.outcome;
}

interface AdmittedAttempt extends Attempt {
  readonly admitted?: Admitted;
}

async function attemptRequest(request: ClientRequest, relayed: RelayedRequest): Promise<AdmittedAttempt> {
  const { grant, method, params, subject } = relayed;
  const { caller } = request;
  if (grant === undefined) return { outcome: unknown() };
  const { upstream } = grant;
  const decision = authorize(caller.virtualKey, actionOf(relayed.kind, upstream.name, subject), request.now());
  if (!decision.allow) return denied(decision.reason);
  if (relayed.kind === 'resource.read' && !isGranted(grant, 'resources', subject))
    return denied('resource_not_granted');
  if (relayed.kind === 'prompt.get' && !isGranted(grant, 'prompts', subject)) return denied('prompt_not_granted');
  const ready = await readyView(request, upstream);
  if (!ready.ok) return { outcome: ready };
  const round = {
    method,
    params: relayedParams(params),
    signal: request.signal,
    principal: caller.virtualKey.principal.keyId,
  };
  const hop = hopOf(request, upstream.name, params);
  const admitted = await admitRequest(request, caller.virtualKey, upstream);
  if (!admitted.ok) return { outcome: admitted, denial: admitted.error.code };
  const startedAt = request.now();
  const attempt = await requestUpstream(request, upstream, round, hop).catch(
    // What failed here may have been sent.
    (fault: unknown) => ({
      ...failedHere('relayed.request.failed', caller.requestId, upstream.name, fault),
      upstreamMs: request.now() - startedAt,
    }),
  );
  return { ...attempt, admitted: admitted.value };
}

function actionOf(kind: RelayedSubject['kind'], upstream: string, subject: string): Action {
  switch (kind) {
    case 'resource.read':
      return { kind, upstream, uri: subject };
    case 'prompt.get':
      return { kind, upstream, prompt: subject };
    case 'extension.call':
      return { kind, upstream, method: subject };
  }
}

function denied(reason: string): Attempt {
  return { outcome: unknown(), denial: reason };
}

function unknown(): Attempt['outcome'] {
  return err(failure('not_found', 'There is no such thing for this key.'));
}
