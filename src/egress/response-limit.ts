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
 * The whole body as text, of at most `maxBytes`.
 * @throws EgressError when it is larger; what breaks the connection, as the runtime throws it
 */
export async function readText(response: Response, maxBytes: number): Promise<string> {
  const declared = declaredLength(response);
  // HTTP holds the body to what it declares, and the runtime reads it whole for less.
  if (declared !== undefined && declared <= maxBytes) return response.text();
  const decoder = new TextDecoder();
  let text = '';
  await readChunks(response, maxBytes, (chunk) => {
    text += decoder.decode(chunk, { stream: true });
    return 'more';
  });
  return text + decoder.decode();
}

/**
 * Hands the body over piece by piece, counted without the cost of a second stream, until `take` has enough of it.
 * @throws EgressError when it holds more than `maxBytes`; what breaks the connection, as the runtime throws it
 */
export async function readChunks(
  response: Response,
  maxBytes: number,
  take: (chunk: Uint8Array) => 'more' | 'enough',
): Promise<void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let received = 0;
  let wants: 'more' | 'enough' | 'too much' = (declaredLength(response) ?? 0) > maxBytes ? 'too much' : 'more';
  while (wants === 'more') {
    const { done, value } = await reader.read();
    if (done) return;
    received += value.byteLength;
    wants = received > maxBytes ? 'too much' : take(value);
  }
  await reader.cancel();
  if (wants === 'too much') throw tooLarge(maxBytes);
}
