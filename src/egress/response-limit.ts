import { asEgressError, EgressError } from './egress-error.ts';

function tooLarge(maxBytes: number): EgressError {
  return new EgressError(
    'upstream_error',
    'may_have_run',
    `answered with more than ${maxBytes} bytes, the most allowed`,
  );
}

/** The declared length of a body that arrives exactly as declared; undefined when only counting can tell. */
function declaredLength(response: Response): number | undefined {
  const header = response.headers.get('content-length');
  return header === null || response.headers.has('content-encoding') ? undefined : Number(header);
}

/**
 * The same response, whose body breaks with an `EgressError` after `maxBytes`. A body that declares an allowed length
 * passes untouched: HTTP holds it to that.
 * @throws EgressError at once when it declares more
 */
export async function limitResponse(response: Response, maxBytes: number): Promise<Response> {
  const declared = declaredLength(response);
  if (declared !== undefined && declared > maxBytes) {
    await response.body?.cancel();
    throw tooLarge(maxBytes);
  }
  if (response.body === null || (declared !== undefined && !Number.isNaN(declared))) return response;
  let received = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      received += chunk.byteLength;
      if (received > maxBytes) controller.error(tooLarge(maxBytes));
      else controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(counter), response);
}

/**
 * The whole body, of at most `maxBytes`.
 * @throws EgressError when it is larger, or when the connection breaks before its end
 */
export async function readBody(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const limited = await limitResponse(response, maxBytes);
  try {
    return new Uint8Array(await limited.arrayBuffer());
  } catch (error) {
    throw asEgressError(error) ?? error;
  }
}

/**
 * The body piece by piece, counted without the cost of a second stream. Leaving early cancels what is left of it.
 * @throws EgressError when it holds more than `maxBytes`; what breaks the connection, as the runtime throws it
 */
export async function* limitedChunks(response: Response, maxBytes: number): AsyncGenerator<Uint8Array, undefined> {
  const declared = declaredLength(response);
  if (declared !== undefined && declared > maxBytes) {
    await response.body?.cancel();
    throw tooLarge(maxBytes);
  }
  let received = 0;
  for await (const chunk of response.body ?? []) {
    received += chunk.byteLength;
    if (received > maxBytes) throw tooLarge(maxBytes);
    yield chunk;
  }
}
