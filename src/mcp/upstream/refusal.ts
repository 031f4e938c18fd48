// A request that an upstream refused by an HTTP status, and what the status and its text mean to a client of MCP.
import { SdkHttpError } from '@modelcontextprotocol/client';
import { isObject, parseJson, textAt } from '../../lib/json-value.ts';
import { RPC } from '../protocol/errors.ts';
import type { RpcError } from '../protocol/message.ts';

/** A `Retry-After` beyond this is no advice that a client could follow. */
const LONGEST_RETRY_SECONDS = 86_400;
const ANSWERING_STATUSES: ReadonlySet<number> = new Set([400, 404, 422]);
/** Statuses with which servers meet requests of an era, or of a path, that they do not know. */
const FOREIGN_STATUSES: ReadonlySet<number> = new Set([400, 404, 405, 406, 415, 422, 501]);

export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly status: number;
  readonly text: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, text: string, retryAfter: string | null) {
    super(`HTTP ${status}`);
    this.status = status;
    this.text = text;
    // Where it is a date, clocks would have to agree.
    const seconds = /^\d{1,9}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined;
    this.retryAfterSeconds = seconds === undefined ? undefined : Math.min(seconds, LONGEST_RETRY_SECONDS);
  }
}

export interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly retryAfterSeconds?: number | undefined;
}

/** The HTTP status the server refused with, where it did. */
export function refusedWith(error: unknown): Refusal | undefined {
  if (error instanceof HttpRefusal) return error;
  if (!(error instanceof SdkHttpError)) return undefined;
  const { text } = error.data;
  return { status: error.status, text: typeof text === 'string' ? text : '' };
}

/** Some servers, and all modern ones for some errors, answer JSON-RPC errors under an HTTP status of their own. */
export function answerInRefusal(error: unknown): RpcError | undefined {
  const refused = refusedWith(error);
  if (refused === undefined || !ANSWERING_STATUSES.has(refused.status)) return undefined;
  const body = parseJson(refused.text);
  const answered = isObject(body) ? body['error'] : undefined;
  const message = textAt(answered, 'message');
  if (!isObject(answered) || message === undefined || !Number.isInteger(answered['code'])) return undefined;
  const { code, data } = answered;
  return { code: Number(code), message, ...(data !== undefined && { data }) };
}

/**
 * The server refused the request because it no longer knows the session, so the request did not run. The protocol says
 * 404 (2025-11-25, transports §session management); servers made from the reference template answer 400 and name the
 * session in the text.
 */
export function isSessionLost(error: unknown): boolean {
  const refused = refusedWith(error);
  if (refused?.status === 404 || (refused?.status === 400 && /session/i.test(refused.text))) return true;
  // A server that has become a modern one says that it does not know the revision.
  return answerInRefusal(error)?.code === RPC.unsupportedProtocolVersion;
}

/** A request of 2026-07-28 met a server that seems not to speak it. */
export function looksLegacy(error: unknown): boolean {
  const refused = refusedWith(error);
  if (refused === undefined || !FOREIGN_STATUSES.has(refused.status)) return false;
  const answer = answerInRefusal(error);
  if (answer === undefined) return true;
  if (answer.code === RPC.unsupportedProtocolVersion) return true;
  // These are of modern servers; of what else they answer, a legacy server says the same of any request.
  const modern: readonly number[] = [RPC.headerMismatch, RPC.missingClientCapability, RPC.methodNotFound];
  return !modern.includes(answer.code) && answer.code !== RPC.invalidParams;
}

/** A handshake met a server that seems to speak 2026-07-28 only. */
export function looksModern(error: unknown): boolean {
  const refused = refusedWith(error);
  return refused !== undefined && FOREIGN_STATUSES.has(refused.status);
}
