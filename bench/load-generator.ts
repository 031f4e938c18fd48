// A closed loop of HTTP/1.1 requests over raw keep-alive sockets: one request outstanding per connection. Raw, because
// a load generator that costs more than what it measures measures itself.
import { connect, type Socket } from 'node:net';

export interface LoadPlan {
  readonly port: number;
  readonly connections: number;
  /** Seconds that count, after the seconds that do not. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly request: RequestTemplate;
  /** A counted answer has this status, 200 where none is given, and holds the text; every other one is an error. */
  readonly status?: number;
  readonly expect: string;
}

export interface RequestTemplate {
  readonly method: 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `SEQUENCE` in it becomes a number of nine digits, another one in each request. */
  readonly body: string;
}

export interface LoadResult {
  readonly requests: number;
  readonly errors: number;
  readonly firstError?: string;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const SEQUENCE = 'SEQUENCE';
const FIRST_SEQUENCE = 100_000_000; // Nine digits from the start, so that the content length never changes.

/** Takes no answer for longer than this as a hung server. */
const STALL_MS = 15_000;

interface Tally {
  readonly latencies: number[];
  errors: number;
  firstError?: string;
  counting: boolean;
  stopped: boolean;
}

export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const tally: Tally = { latencies: [], errors: 0, counting: false, stopped: false };
  const nextRequest = requestSequence(plan.request, plan.port);
  const connections = Array.from({ length: plan.connections }, () => drive(plan, nextRequest, tally));
  await pause(plan.warmUpSeconds);
  tally.counting = true;
  const from = performance.now();
  await pause(plan.seconds);
  tally.counting = false;
  const elapsedSeconds = (performance.now() - from) / 1000;
  tally.stopped = true;
  await Promise.all(connections);
  const sorted = Float64Array.from(tally.latencies).toSorted();
  return {
    requests: sorted.length,
    errors: tally.errors,
    ...(tally.firstError === undefined ? {} : { firstError: tally.firstError }),
    requestsPerSecond: sorted.length / elapsedSeconds,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  };
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function requestSequence(template: RequestTemplate, port: number): () => string {
  const length = Buffer.byteLength(template.body.replaceAll(SEQUENCE, String(FIRST_SEQUENCE)));
  const lines = Object.entries({ host: `127.0.0.1:${port}`, 'content-length': String(length), ...template.headers });
  const head = `${template.method} ${template.path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  const parts = template.body.split(SEQUENCE);
  let sequence = FIRST_SEQUENCE;
  return () => head + parts.join(String(sequence++));
}

/** One connection's loop; ends when the tally says so, or with an error where the server closes or hangs. */
function drive(plan: LoadPlan, nextRequest: () => string, tally: Tally): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port: plan.port, host: '127.0.0.1', noDelay: true });
    let received: Buffer = Buffer.alloc(0);
    let sentAt = 0;
    const send = (): void => {
      sentAt = performance.now();
      socket.write(nextRequest());
    };
    socket.setTimeout(STALL_MS, () => socket.destroy(new Error(`no answer for ${STALL_MS} ms on port ${plan.port}`)));
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('close', () => (tally.stopped ? resolve() : reject(new Error(`port ${plan.port} closed a connection`))));
    socket.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const answer = wholeAnswer(received);
      if (answer === undefined) return;
      received = Buffer.alloc(0);
      if (tally.counting) {
        if (answer.startsWith(`HTTP/1.1 ${plan.status ?? 200}`) && answer.includes(plan.expect)) {
          tally.latencies.push(performance.now() - sentAt);
        } else {
          tally.errors++;
          tally.firstError ??= answer.slice(0, 600);
        }
      }
      if (tally.stopped) socket.end();
      else send();
    });
  });
}

/** The answer as text once its last byte is there (RFC 9112 §6.3: chunked, else by content length). */
function wholeAnswer(received: Buffer): string | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const head = received.toString('latin1', 0, headEnd);
  const bodyStart = headEnd + 4;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    return received.length - bodyStart >= Number(length) ? received.toString('latin1') : undefined;
  }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) throw new Error(`an answer of unknown length: ${head}`);
  return chunksAreComplete(received, bodyStart) ? received.toString('latin1') : undefined;
}

function chunksAreComplete(received: Buffer, from: number): boolean {
  let at = from;
  for (;;) {
    const lineEnd = received.indexOf('\r\n', at);
    if (lineEnd === -1) return false;
    const size = Number.parseInt(received.toString('latin1', at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (size === 0) return received.length >= next;
    at = next;
    if (at >= received.length) return false;
  }
}
