// An answer that is late becomes an event stream with something on it now and then, so that whoever stands between
// does not take the connection for dead, and so that a client that hung up is noticed: the runtime tells only by a
// write that fails.

export interface Patience {
  /** After which the answer becomes a stream. */
  readonly patienceMs: number;
  readonly keepAliveMs: number;
  /** The client is gone. */
  readonly onHangUp: () => void;
}

const KEEP_ALIVE = new TextEncoder().encode(': keepalive\n\n');

/** @param answer must not reject */
export async function answerInTime(answer: Promise<Response>, patience: Patience): Promise<Response> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patience.patienceMs);
  });
  const inTime = await Promise.race([answer, late]);
  if (timer !== null) clearTimeout(timer);
  return inTime ?? streamed(answer, patience);
}

function streamed(answer: Promise<Response>, { keepAliveMs, onHangUp }: Patience): Response {
  let timer: ReturnType<typeof setInterval> | null = null;
  let open = true;
  const close = (): void => {
    open = false;
    if (timer !== null) clearInterval(timer);
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(KEEP_ALIVE);
      timer = setInterval(() => controller.enqueue(KEEP_ALIVE), keepAliveMs);
      void relay(answer, (chunk) => {
        if (open) controller.enqueue(chunk);
      }).finally(() => {
        if (open) controller.close();
        close();
      });
    },
    cancel() {
      close();
      onHangUp();
    },
  });
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    },
  });
}

async function relay(answer: Promise<Response>, write: (chunk: Uint8Array) => void): Promise<void> {
  const response = await answer;
  if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) {
    for await (const chunk of response.body ?? []) write(chunk);
    return;
  }
  write(new TextEncoder().encode(`event: message\ndata: ${await response.text()}\n\n`));
}
