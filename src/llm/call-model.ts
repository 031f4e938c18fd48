// One call of a model, from the caller's request to the recorded end: resolve, send, pass on, settle.
import type { LimitPorts } from '../budget/admit.ts';
import type { ChargePlan } from '../budget/limits.ts';
import type { NanoUsd } from '../budget/money.ts';
import { egressFailure, type EgressError } from '../egress/egress-error.ts';
import { REFUSED_WITHIN_MS } from '../egress/reachability.ts';
import { joinedBytes } from '../lib/bytes.ts';
import { parseJson } from '../lib/json-value.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { modelPlans } from '../policy/charge-plans.ts';
import { failure, type Failure, type FailureCode } from '../policy/failure.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { readUpTo, watchedStream, type ReadBody, type StreamEnd } from './answer-body.ts';
import { askingForUsage, UsageChunkFilter } from './asked-usage.ts';
import { admitCall } from './call-limits.ts';
import { auditUnavailable, CallRecord, type CallEnd, type LlmCaller, type RecordPorts } from './call-record.ts';
import { modelOfPath, withPathModel } from './dialects/gemini/model-in-path.ts';
import { progressOf, type CallProgress } from './estimate/charge.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { BUFFERED_ANSWER_BYTES, SILENCE_MS } from './limits.ts';
import { eventStreamMeter, jsonTailMeter, NO_METER, type Meter } from './meter.ts';
import { requestedModel, withModel, type LlmRequestBody } from './model-name.ts';
import { pathOf, type Operation } from './operation.ts';
import { Patience } from './patience.ts';
import { providerUrl } from './provider-types.ts';
import { refusedAnswer } from './refused-answer.ts';
import { pickProviderKey, resolveModel, type ModelTarget } from './resolve-model.ts';
import type { ResponseFacts, ResponseReader } from './response-reader.ts';

export interface LlmPorts extends RecordPorts, LimitPorts {
  readonly waitUntil: (promise: Promise<unknown>) => void;
  /** In [0, 1). */
  readonly random: () => number;
  /** For what the operator configured. */
  readonly fetch: typeof fetch;
  /** Whether nobody takes connections at a URL, so that a request to it that just failed was never sent. */
  readonly refusesConnections: (url: string) => Promise<boolean>;
  /** What the caller will be answered, for the record. */
  readonly statusOf: (failure: Failure) => number;
}

export interface LlmRequest {
  readonly operation: Operation;
  readonly body: LlmRequestBody;
  /** Where the path names it. */
  readonly model?: string;
  readonly headers: Headers;
  /** With its question mark; empty where there is none. */
  readonly search: string;
  readonly signal: AbortSignal;
  readonly providers: PolicySnapshot['providers'];
  /** Told what the call is charged to, once that is known. */
  readonly onPlans?: (plans: readonly ChargePlan[]) => void;
}

/** The provider's own status, headers and body, less what is not the caller's to see. */
export interface LlmAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array | ReadableStream<Uint8Array>;
  /** Known here only where the answer was read whole; else the audit event alone has it. */
  readonly cost?: NanoUsd;
  readonly upstreamMs: number;
  /** Of a stream: resolves when it has ended, however it did. */
  readonly over?: Promise<void>;
}

/** What one call is about, once it is known whom it goes to. */
interface Exchange {
  readonly ports: LlmPorts;
  readonly record: CallRecord;
  readonly reader: ResponseReader;
  readonly patience: Patience;
  readonly target: ModelTarget;
  readonly url: string;
  readonly sentAt: number;
  /** Of a stream that was made to tell more than its caller asked for. */
  readonly filter?: UsageChunkFilter;
}

/** Every call leaves one audit event, refused ones included. */
export function callModel(
  ports: LlmPorts,
  caller: LlmCaller,
  request: LlmRequest,
): Promise<Result<LlmAnswer, Failure>> {
  const answer = attemptCall(ports, caller, request);
  // A caller that hangs up takes its request's context along; the record must outlive it. Whoever waits for the answer
  // meets its fault.
  ports.waitUntil(answer.catch(() => undefined));
  return answer;
}

async function attemptCall(
  ports: LlmPorts,
  caller: LlmCaller,
  request: LlmRequest,
): Promise<Result<LlmAnswer, Failure>> {
  const record = new CallRecord(ports, caller);
  if (record.isClosed) return err(auditUnavailable());
  record.requestBytes = request.body.byteLength;
  record.request = request.body.value;

  const model = request.model === undefined ? requestedModel(request.body) : modelOfPath(request.body, request.model);
  if (!model.ok) return refuse(ports, record, model.error);
  record.model = model.value;
  const target = resolveModel(model.value, request.operation.dialect, caller.virtualKey, request.providers);
  if (!target.ok) return refuse(ports, record, target.error);
  record.target = target.value;
  const { provider, type } = target.value;
  const providerKey = pickProviderKey(provider, target.value.model, ports.random());
  if (providerKey === undefined && lacksKey(target.value)) return refuse(ports, record, keyMissing(provider.name));

  const plans = modelPlans(caller.virtualKey, provider.name);
  request.onPlans?.(plans);
  if (plans.length > 0) {
    const admitted = await admitCall(ports, { ...request, plans, target: target.value });
    if (!admitted.ok) return refuse(ports, record, admitted.error);
    record.admitted = admitted.value;
  }
  const mustAsk = request.operation.mustAskForUsage === true && type.tellsUsage !== true;
  const asking = mustAsk && record.admitted?.isMetered === true;
  const askingBody = asking ? askingForUsage(request.body) : undefined;
  const exchange: Exchange = {
    ports,
    record,
    reader: request.operation.createReader(),
    patience: new Patience(request.signal, provider.timeout ?? SILENCE_MS, ports.now),
    target: target.value,
    url: providerUrl(provider, type, pathOf(request.operation, target.value.model), request.search),
    sentAt: ports.now(),
    ...(askingBody !== undefined && { filter: new UsageChunkFilter() }),
  };
  try {
    const withOwnModel = request.model === undefined ? withModel : withPathModel;
    const response = await (type.fetch ?? ports.fetch)(exchange.url, {
      method: 'POST',
      headers: requestHeaders(request.headers, provider, type, providerKey),
      body: withOwnModel(askingBody ?? request.body, model.value, target.value.model),
      signal: exchange.patience.signal,
    });
    return await passOn(exchange, response);
  } catch (fault) {
    return endWithFault(exchange, fault);
  }
}

/** Whoever gives an address or headers of their own may well mean to call without a key. */
function lacksKey({ provider, type }: ModelTarget): boolean {
  return type.needsKey && provider.base_url === undefined && provider.headers === undefined;
}

function keyMissing(provider: string): Failure {
  return failure('upstream_unavailable', `The provider "${provider}" has no key configured.`);
}

/** What the key may not do, now or at all; everything else is an error. */
const DENIALS: ReadonlySet<FailureCode> = new Set([
  'model_not_allowed',
  'model_not_priced',
  'budget_exceeded',
  'rate_limited',
]);

/** For what is wrong with a request before there is a call to speak of: an unreadable body, a bad tag. */
export async function refuseCall(ports: LlmPorts, caller: LlmCaller, reason: Failure): Promise<Failure> {
  const refused = await refuse(ports, new CallRecord(ports, caller), reason);
  return refused.ok ? reason : refused.error;
}

async function refuse(
  ports: LlmPorts,
  record: CallRecord,
  reason: Failure,
  progress: CallProgress = 'not_sent',
): Promise<Result<never, Failure>> {
  const outcome = DENIALS.has(reason.code) ? 'denied' : 'error';
  const settled = await record.settle({ outcome, reason: reason.code, status: ports.statusOf(reason), progress });
  return err(settled.ok ? reason : settled.error);
}

async function passOn(exchange: Exchange, response: Response): Promise<Result<LlmAnswer, Failure>> {
  const { reader, patience, target } = exchange;
  patience.heard();
  const refusal = refusedAnswer(response, target.provider.name);
  if (refusal !== undefined) {
    await response.body?.cancel();
    noteUpstreamTime(exchange);
    patience.end();
    return refuse(exchange.ports, exchange.record, refusal, progressOf(response.status));
  }
  const source: ReadableStreamDefaultReader<Uint8Array> | undefined = isEventStream(response)
    ? response.body?.getReader()
    : undefined;
  if (source !== undefined) {
    const head = { chunks: [], rest: source };
    return ok(streamedAnswer(exchange, response, head, source, eventStreamMeter(reader)));
  }
  const body = await readUpTo(response, BUFFERED_ANSWER_BYTES, patience);
  if (body.rest === undefined) return wholeAnswer(exchange, response, joinedBytes(body.chunks));
  const meter = response.ok ? jsonTailMeter(reader) : NO_METER;
  return ok(streamedAnswer(exchange, response, body, body.rest, meter));
}

function isEventStream(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('text/event-stream') === true;
}

const decoder = new TextDecoder();

async function wholeAnswer(
  exchange: Exchange,
  response: Response,
  bytes: Uint8Array,
): Promise<Result<LlmAnswer, Failure>> {
  const { record, reader, patience } = exchange;
  patience.end();
  const upstreamMs = noteUpstreamTime(exchange);
  const value = parseJson(decoder.decode(bytes));
  if (response.ok) reader.readBody(value);
  const facts = response.ok ? reader.facts() : undefined;
  const settled = await record.settle({
    ...(facts === undefined ? REFUSED_BY_PROVIDER : verdict(facts)),
    status: response.status,
    progress: progressOf(response.status),
    stream: false,
    ...(facts !== undefined && { facts }),
    responseBytes: bytes.byteLength,
    response: value,
  });
  if (!settled.ok) return err(settled.error);
  return ok({
    status: response.status,
    headers: responseHeaders(response.headers),
    body: bytes,
    ...(response.ok && settled.value !== undefined && { cost: settled.value }),
    upstreamMs,
  });
}

function streamedAnswer(
  exchange: Exchange,
  response: Response,
  head: ReadBody,
  rest: ReadableStreamDefaultReader<Uint8Array>,
  meter: Meter,
): LlmAnswer {
  const { ports, record, reader, patience } = exchange;
  const upstreamMs = noteUpstreamTime(exchange);
  // As for the answer, so for its stream.
  const { promise: over, resolve: isOver } = Promise.withResolvers<void>();
  ports.waitUntil(over);
  const settle = async (end: StreamEnd): Promise<void> => {
    noteUpstreamTime(exchange);
    const facts = response.ok ? reader.facts() : undefined;
    const settled = await record.settle({
      ...(facts === undefined ? REFUSED_BY_PROVIDER : streamVerdict(facts, end)),
      status: response.status,
      progress: progressOf(response.status),
      stream: isEventStream(response),
      ...(facts !== undefined && { facts }),
      responseBytes: end.bytes,
    });
    if (!settled.ok) throw new Error(settled.error.message);
  };
  const body = watchedStream({
    head: head.chunks,
    rest,
    meter,
    ...(exchange.filter !== undefined && { filter: exchange.filter }),
    patience,
    mustSettleFirst: () => record.isDurable && reader.facts().isFinished,
    settle: (end) => settle(end).finally(isOver),
  });
  return { status: response.status, headers: responseHeaders(response.headers), body, upstreamMs, over };
}

async function endWithFault(exchange: Exchange, fault: unknown): Promise<Result<never, Failure>> {
  const { ports, record, patience, target } = exchange;
  const wasLeft = patience.callerLeft;
  patience.end();
  noteUpstreamTime(exchange);
  const error = patience.explain(fault);
  const reason = wasLeft
    ? failure('upstream_error', 'The caller left before the provider had answered.')
    : error === undefined
      ? failure('internal_error', 'The gateway failed; its log names the fault.')
      : egressFailure(error, `The provider "${target.provider.name}"`);
  const progress = record.admitted === undefined ? 'lost' : await progressAt(exchange, wasLeft ? undefined : error);
  if (progress === 'not_sent') record.upstreamMs = undefined;
  const settled = await record.settle({
    ...(wasLeft ? CANCELLED : { outcome: 'error', reason: reason.code }),
    status: ports.statusOf(reason),
    progress,
  });
  if (!wasLeft && error === undefined) throw fault;
  return err(settled.ok ? reason : settled.error);
}

/** How far a call got that ended without an answer. */
async function progressAt(
  { ports, sentAt, url, target }: Exchange,
  error: EgressError | undefined,
): Promise<CallProgress> {
  if (error?.progress === 'not_started') return 'not_sent';
  if (error?.code !== 'upstream_unavailable' || ports.now() - sentAt > REFUSED_WITHIN_MS) return 'lost';
  return target.type.fetch === undefined && (await ports.refusesConnections(url)) ? 'not_sent' : 'lost';
}

function noteUpstreamTime({ ports, record, sentAt }: Exchange): number {
  const elapsed = ports.now() - sentAt;
  record.upstreamMs = elapsed;
  return elapsed;
}

type Verdict = Pick<CallEnd, 'outcome' | 'reason'>;
const CANCELLED: Verdict = { outcome: 'cancelled', reason: 'client_cancelled' };
/** The status on the event says how. */
const REFUSED_BY_PROVIDER: Verdict = { outcome: 'error', reason: 'refused_by_provider' };

function verdict({ hasFailed, isWhole }: ResponseFacts): Verdict {
  if (hasFailed) return { outcome: 'error', reason: 'upstream_error' };
  return isWhole ? { outcome: 'ok' } : { outcome: 'error', reason: 'answer_incomplete' };
}

function streamVerdict(facts: ResponseFacts, { how, error }: StreamEnd): Verdict {
  if (how === 'broken') return { outcome: 'error', reason: error?.code ?? 'internal_error' };
  // Clients hang up on the last word as often as they wait for the end.
  if (how === 'cancelled' && !facts.isFinished) return CANCELLED;
  return verdict(facts);
}
