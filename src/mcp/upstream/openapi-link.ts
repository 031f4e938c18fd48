// Calls of OpenAPI servers as requests of MCP: they have tools and nothing else.
import { err, ok, type Result } from '../../lib/result.ts';
import { isObject, type JsonObject, textAt } from '../../lib/json-value.ts';
import type { LinkRequest } from '../links.ts';
import { callOperation, type OpenApiCallDependencies } from '../openapi/call.ts';
import type { OpenApiUpstream } from '../openapi/spec-source.ts';
import type { UpstreamCallFailure } from '../ports.ts';
import { RPC } from '../protocol/errors.ts';

export async function callOpenApi(
  dependencies: OpenApiCallDependencies,
  upstream: OpenApiUpstream,
  { method, params, signal }: LinkRequest,
): Promise<Result<JsonObject, UpstreamCallFailure>> {
  if (method !== 'tools/call') {
    const answered = { code: RPC.methodNotFound };
    return err({ code: 'upstream_error', message: `Method not found: ${method}`, stage: 'call', answered });
  }
  const given = params?.['arguments'];
  const name = textAt(params, 'name') ?? '';
  const outcome = await callOperation(dependencies, upstream, {
    name,
    signal,
    ...(isObject(given) && { arguments: given }),
  });
  return outcome.ok ? ok({ ...outcome.value }) : outcome;
}
