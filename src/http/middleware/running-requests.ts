// How many requests of agents the process has running, held against `limits.concurrent_requests`. A stream that answers
// a call runs until it has ended; one that only listens does not count, for it takes nothing but its connection.
import type { Context, Next } from 'hono';
import { log } from '../../lib/log.ts';
import { failure } from '../../policy/failure.ts';
import type { AppEnv } from '../app-env.ts';
import { errorResponse, type Dialect } from '../error-response.ts';

const RETRY_SECONDS = 1;
/** Between two lines of the log that say the same. */
const LOG_PAUSE_MS = 10_000;

let running = 0;
let loggedAt = 0;

/** Goes on with the request, or refuses it where the process has as many as it may. */
export async function runRequest(c: Context<AppEnv>, next: Next, dialect: Dialect): Promise<Response | void> {
  const { concurrent_requests: most } = c.get('snapshot').settings.limits;
  if (running >= most) {
    const { requestId, receivedAt } = c.var;
    if (receivedAt - loggedAt > LOG_PAUSE_MS) {
      loggedAt = receivedAt;
      log('warn', 'requests.overload', { request_id: requestId, running, most });
    }
    const text = `The gateway has ${most} requests running, as many as it may (limits.concurrent_requests). Try again shortly.`;
    return errorResponse(failure('overloaded', text, { retryAfterSeconds: RETRY_SECONDS }), dialect, requestId);
  }
  running++;
  const handled = next();
  // A caller that hangs up takes its request's context along; its place must be given back all the same.
  c.get('services').waitUntil(leave(c, handled));
  return handled;
}

async function leave(c: Context<AppEnv>, handled: Promise<void>): Promise<void> {
  try {
    await handled;
    await c.get('answerEnd');
  } catch {
    // Whoever waits for the answer meets its fault.
  } finally {
    running--;
  }
}
