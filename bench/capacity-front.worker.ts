// An isolate in a process of its own that asks one ledger as hard as it is told to.
import type { LedgerEntry } from '../durable-objects/contracts.ts';
import type { AuditEvent } from '../src/audit/event.ts';
import type { LeaseRequest, LeaseTrim } from '../src/budget/lease.ts';
import type { Amounts, Limit } from '../src/budget/limits.ts';
import { toNanoUsd } from '../src/budget/money.ts';
import type { CapacityPlan, CapacityResult } from './capacity-plan.ts';
import type { LedgerDoor } from './capacity-state.worker.ts';

interface Env {
  readonly LEDGER: Service<typeof LedgerDoor>;
}

const NEED: Amounts = { cost: toNanoUsd(10_000), tokens: 500, requests: 1 };
const NOTHING: Amounts = { cost: toNanoUsd(0), tokens: 0, requests: 0 };
const LEDGER = 'bench-customer';
/** Of one lease: more than a measurement settles. */
const MOST_EVENTS = 1_000_000;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (request.method !== 'POST') return new Response('ready');
    return Response.json(await drive(env, (await request.json()) as CapacityPlan));
  },
};

async function drive(env: Env, plan: CapacityPlan): Promise<CapacityResult> {
  const isolate = new Isolate(env, plan.limits);
  const work = plan.operation === 'acquire' ? isolate.reserving() : await isolate.settling(plan.batch);
  const from = Date.now();
  const until = from + plan.seconds * 1000;
  const loops = Array.from({ length: plan.concurrency }, async () => {
    let done = 0;
    for (; Date.now() < until; done++) await work.once();
    return done;
  });
  const done = (await Promise.all(loops)).reduce((sum, count) => sum + count, 0);
  const seconds = (Date.now() - from) / 1000;
  await work.end();
  return { operations: done, seconds, refused: isolate.refused };
}

interface Work {
  once(): Promise<void>;
  end(): Promise<void>;
}

class Isolate {
  refused = 0;
  readonly #env: Env;
  readonly #limits: readonly Limit[];
  readonly #holder = crypto.randomUUID();
  #sequence = 0;
  #running = 0;
  #trims: LeaseTrim[] = [];

  constructor(env: Env, limits: readonly Limit[]) {
    this.#env = env;
    this.#limits = limits;
  }

  /** As close to a limit, where each request is a reservation of its own; what is not used goes back with the next one. */
  reserving(): Work {
    return {
      once: async () => {
        this.#running++;
        const lease = await this.#acquire(NEED);
        this.#running--;
        this.#trims.push({ lease, drawn: NOTHING });
      },
      end: () => this.#report(),
    };
  }

  /** The events of requests that were admitted on one lease and have ended, so many at a time. */
  async settling(batch: number): Promise<Work> {
    this.#running++;
    const lease = await this.#acquire(times(NEED, MOST_EVENTS));
    let draw = 0;
    return {
      once: async () => {
        const at = Date.now();
        const entries = Array.from({ length: batch }, (): LedgerEntry => {
          draw++;
          return { event: eventOf(at), charge: { lease, draw, at, release: NEED, actual: NEED } };
        });
        await this.#env.LEDGER.record(LEDGER, entries);
      },
      end: async () => {
        this.#running--;
        this.#trims.push({ lease, drawn: times(NEED, draw) });
        await this.#report();
      },
    };
  }

  async #acquire(need: Amounts): Promise<string> {
    const lease = crypto.randomUUID();
    const trims = this.#trims;
    this.#trims = [];
    const request: LeaseRequest = {
      lease,
      holder: this.#holder,
      sequence: this.#sequence++,
      plan: 'bench',
      limits: this.#limits,
      need,
      trims,
      slots: this.#slots(),
    };
    const answer = await this.#env.LEDGER.acquire(LEDGER, request);
    if (!answer.ok) this.refused++;
    return lease;
  }

  /** Gives everything back. */
  #report(): Promise<void> {
    const trims = this.#trims;
    this.#trims = [];
    const sequence = this.#sequence++;
    return this.#env.LEDGER.report(LEDGER, {
      holder: this.#holder,
      sequence,
      renew: [],
      trims,
      slots: this.#slots(),
    });
  }

  #slots(): Record<string, number> {
    const concurrent = this.#limits.filter(({ metric }) => metric === 'concurrent');
    return Object.fromEntries(concurrent.map(({ id }) => [id, this.#running]));
  }
}

function times({ cost, tokens, requests }: Amounts, count: number): Amounts {
  return { cost: toNanoUsd(cost * count), tokens: tokens * count, requests: requests * count };
}

/** As a chat completion leaves it. */
function eventOf(now: number): AuditEvent {
  return {
    id: `evt_${crypto.randomUUID()}`,
    at: now,
    kind: 'llm.call',
    outcome: 'ok',
    request_id: `req_${crypto.randomUUID()}`,
    key_id: 'vk_bench',
    key_name: 'bench',
    team: 'bench-team',
    customer: 'bench-customer',
    principal: 'virtual_key:vk_bench',
    client: 'sallyport-bench',
    provider: 'openai',
    attempt: 1,
    model: 'openai/gpt-4o-mini',
    response_model: 'gpt-4o-mini-2024-07-18',
    stream: false,
    usage_certainty: 'exact',
    input_tokens: 24,
    output_tokens: 11,
    cache_read_tokens: 0,
    cost_nano_usd: 10_200,
    estimate_nano_usd: 60_000,
    latency_ms: 12,
    upstream_ms: 10,
    status: 200,
    request_bytes: 430,
    response_bytes: 420,
  };
}
