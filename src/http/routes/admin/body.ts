import { err, ok, type Result } from '../../../lib/result.ts';
import { failure, type Failure } from '../../../policy/failure.ts';
import { readJson } from '../../read-json.ts';

/** Not the configurable limit of other requests: too low a one could then never be raised again. */
const MAX_BODY_BYTES = 20 * 1024 * 1024;

/** Reads a JSON object; a member given twice anywhere in it is refused. */
export async function readAdminBody(request: Request): Promise<Result<Readonly<Record<string, unknown>>, Failure>> {
  const body = await readJson(request, { maxBytes: MAX_BODY_BYTES, duplicateDepth: Infinity });
  if (!body.ok) return body;
  const { value } = body.value;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return err(failure('invalid_request', 'The request body must be a JSON object.'));
  return ok(value as Readonly<Record<string, unknown>>);
}
