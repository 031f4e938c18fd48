// Requests to servers of 2026-07-28, with what their first answer may have to be read as.
import type { Upstream } from '../../policy/snapshot.ts';
import type { Catalog, UpstreamViews } from '../ports.ts';
import { withinCapabilities } from '../protocol/envelope.ts';
import { RPC } from '../protocol/errors.ts';
import type { RpcAnswer } from '../protocol/message.ts';
import { faceTowards } from './face-towards.ts';
import { answerInRefusal, looksLegacy } from './refusal.ts';
import { type ModernHop, type ModernRequest, requestModern } from './modern-request.ts';

/** How long a request waits for a server to be discovered. */
export const ACQUAINTANCE_MS = 2_000;

/**
 * Headers that contradict the body are made here, from the catalog: where the server finds fault with them, its tools
 * have changed, and the call, which did not run, is made once more by their new definitions.
 * @throws what `explainFailure` understands
 */
export async function requestModernServer(
  upstream: Upstream,
  catalog: Catalog | undefined,
  request: ModernRequest,
  given: ModernHop & { readonly views: UpstreamViews },
): Promise<RpcAnswer> {
  const hop = { ...given, face: faceTowards(upstream, given.face) };
  try {
    return await answered(upstream, catalog, request, hop);
  } catch (error) {
    if (request.method !== 'tools/call' || answerInRefusal(error)?.code !== RPC.headerMismatch) throw error;
  }
  const fresh = await hop.views.refresh(upstream, ACQUAINTANCE_MS);
  return answered(upstream, fresh.catalog, request, hop);
}

/** Its own statuses are part of the protocol: a JSON-RPC error under one of them is an answer. */
async function answered(
  upstream: Upstream,
  catalog: Catalog | undefined,
  request: ModernRequest,
  hop: ModernHop,
): Promise<RpcAnswer> {
  try {
    return withinCapabilities(await requestModern(upstream, catalog, request, hop), hop.face);
  } catch (error) {
    const answer = answerInRefusal(error);
    if (answer === undefined || answer.code === RPC.headerMismatch || looksLegacy(error)) throw error;
    return { error: answer };
  }
}
