// One configured server: its lanes and sessions, and whether a process of it may be started.
import { randomUUID } from 'node:crypto';
import { Backoff } from './backoff.ts';
import type { Child, ChildExit } from './child.ts';
import { environmentOf } from './child.ts';
import { commandProblem } from './command-path.ts';
import type { Definition } from './definition.ts';
import { isObject } from './json-rpc.ts';
import type { RpcRequest, RpcResponse } from './json-rpc.ts';
import { Lane } from './lane.ts';
import type { LaneEra, LaneOwner } from './lane.ts';
import type { Log } from './log.ts';
import type { Session } from './session.ts';
import { StderrRing } from './stderr-ring.ts';
import type { Ready, Unavailable } from './unavailable.ts';

/** Sessions of clients that never say goodbye are forgotten, the longest unused first. */
const MAX_SESSIONS = 10_000;
const SHOWN_STDERR_LINES = 20;
/** HeaderMismatch, MissingRequiredClientCapability, UnsupportedProtocolVersion: only a modern server knows them. */
const MODERN_ERRORS: ReadonlySet<number> = new Set([-32020, -32021, -32022]);

/** The places for processes that all servers share. */
export interface ChildPlaces {
  readonly limit: number;
  take(): boolean;
  free(): void;
}

export interface OpenSession {
  readonly session: Session;
  readonly lane: Lane;
}

export interface ServerState {
  readonly name: string;
  readonly fingerprint: string;
  readonly isolation: string;
  readonly state: 'idle' | 'running' | 'backing_off';
  readonly pid?: number;
  readonly started_at?: number;
  readonly children: readonly {
    readonly pid: number | undefined;
    readonly era: LaneEra;
    readonly started_at: number;
  }[];
  readonly sessions: number;
  readonly restarts: number;
  readonly last_exit?: {
    readonly reason: string;
    readonly code: number | null;
    readonly signal: string | null;
    readonly at: number;
  };
  readonly stderr_tail: readonly string[];
}

export class StdioServer implements LaneOwner {
  readonly definition: Definition;
  readonly stderr = new StderrRing();
  readonly log: Log;
  readonly #places: ChildPlaces;
  /** Resolves when the processes of an earlier definition of this name are gone. */
  readonly #after: Promise<void>;
  readonly #lanes = new Set<Lane>();
  readonly #sessions = new Map<string, OpenSession>();
  readonly #backoff = new Backoff();
  /** Eras whose process was ended and not started since: a probe leaves them alone. */
  readonly #dormant = new Set<LaneEra>();
  #isModern: boolean | undefined;
  /** It took a modern request for a fault and exited: some legacy servers accept nothing before `initialize`. */
  #endsWhenAsked = false;
  #isStopping = false;
  #hasFailed = false;
  #restarts = 0;
  #lastExit: ChildExit | undefined;
  #problem: string | undefined;

  constructor(definition: Definition, places: ChildPlaces, log: Log, after: Promise<void> = Promise.resolve()) {
    this.definition = definition;
    this.#places = places;
    this.#after = after;
    this.log = (level, event, fields) => log(level, event, { server: definition.name, ...fields });
  }

  /** The lane for a request that belongs to no session; none where it could only end the process it is sent to. */
  modernLane(): Lane | undefined {
    const lanes = [...this.#lanes];
    const open = lanes.find((lane) => lane.era === 'open');
    // A server known to be legacy says so from the process it already has.
    const isShared = this.definition.isolation === 'shared';
    const fallback = isShared && this.#isModern === false ? lanes.find((lane) => lane.child) : undefined;
    if (open === undefined && fallback === undefined && this.#endsWhenAsked) return undefined;
    return open ?? fallback ?? this.#addLane('open');
  }

  /** Learns from an answer in a lane without handshake which era the server speaks. */
  judge(lane: Lane, request: RpcRequest, { result, error }: RpcResponse): void {
    if (lane.era !== 'open') return;
    const isModern =
      error === undefined
        ? request.method === 'server/discover' || (isObject(result) && typeof result['resultType'] === 'string')
        : MODERN_ERRORS.has(error.code);
    if (isModern) {
      lane.provenModern = true;
      this.#isModern = true;
    } else if (request.method === 'server/discover' && lane.child !== undefined) {
      this.#isModern ??= false;
      const hasLegacyProcess = [...this.#lanes].some((other) => other.era === 'legacy' && other.child !== undefined);
      if (hasLegacyProcess && this.definition.isolation === 'shared') void lane.stop('is not needed: it is legacy');
    }
  }

  /** Opens a session: the server's answer, and the session where it agreed. */
  async open(request: RpcRequest): Promise<Ready<{ readonly response: RpcResponse; readonly session?: Session }>> {
    const params = request.params ?? {};
    const version = String(params['protocolVersion']);
    const lane = this.#legacyLane(version);
    const answered = await lane.initialize(params);
    if (!answered.ok) {
      if (lane.sessions.size === 0) this.#lanes.delete(lane);
      return answered;
    }
    const response = { ...answered.value, id: request.id };
    if (response.error !== undefined) {
      // What refused this handshake may accept another, or none.
      if (lane.sessions.size === 0) lane.era = 'open';
      if (MODERN_ERRORS.has(response.error.code)) this.#endsWhenAsked = false;
      return { ok: true, value: { response } };
    }
    const { capabilities } = params;
    const session: Session = {
      id: randomUUID(),
      capabilities: isObject(capabilities) ? capabilities : {},
      streams: new Set(),
      subscriptions: new Set(),
    };
    lane.sessions.add(session);
    this.#sessions.set(session.id, { session, lane });
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MAX_SESSIONS && oldest !== undefined) this.close(oldest);
    return { ok: true, value: { response, session } };
  }

  find(sessionId: string): OpenSession | undefined {
    const found = this.#sessions.get(sessionId);
    if (found === undefined) return undefined;
    if (!found.lane.sessions.has(found.session)) {
      this.#sessions.delete(sessionId);
      return undefined;
    }
    this.#sessions.delete(sessionId);
    this.#sessions.set(sessionId, found);
    return found;
  }

  /** Ends a session, and its process where it has one of its own. False when there is no such session. */
  close(sessionId: string): boolean {
    const found = this.find(sessionId);
    if (found === undefined) return false;
    this.#sessions.delete(sessionId);
    found.lane.leave(found.session);
    if (this.definition.isolation === 'session') void found.lane.stop('was ended with its session');
    return true;
  }

  /** Whether a health probe must leave the server asleep: it was reaped, and only a user's call starts it again. */
  isAsleep(era: LaneEra): boolean {
    const awake = new Set([...this.#lanes].flatMap((lane) => (lane.child === undefined ? [] : [lane.era])));
    if (awake.has(era) || (era === 'open' && this.#isModern === false && awake.size > 0)) return false;
    return this.#dormant.has(era);
  }

  async stop(reason: string): Promise<void> {
    this.#isStopping = true;
    for (const lane of this.#lanes) lane.endSessions();
    await Promise.all([...this.#lanes].map((lane) => lane.stop(reason)));
  }

  async admit(): Promise<Unavailable | undefined> {
    await this.#after;
    if (this.#isStopping) return refusal('stopping', 'the server is being stopped', 1);
    if (this.#backoff.remaining(Date.now()) > 0) return this.unavailable();
    const { command, cwd } = this.definition;
    const path = environmentOf(this.definition)['PATH'] ?? '';
    const problem = await commandProblem(command[0], path, cwd ?? process.cwd());
    if (problem !== undefined) {
      this.#failed(problem, 0);
      return this.unavailable();
    }
    if (this.#places.take()) return undefined;
    const most = `${this.#places.limit} server processes are running, which is the most allowed`;
    return refusal('too_many_children', `${most}; raise --max-children, or wait until one is idle`, 5);
  }

  started(lane: Lane, child: Child): void {
    this.#lanes.add(lane);
    this.#dormant.delete(lane.era);
    if (this.#hasFailed) this.#restarts += 1;
    this.#hasFailed = false;
    void child.gone.then(() => this.#places.free());
    this.log('info', 'bridge.child.started', { pid: child.pid, era: lane.era });
  }

  couldNotStart(error: unknown): void {
    this.#places.free();
    const reason = error instanceof Error ? error.message : String(error);
    this.#failed(`no process could be started: ${reason}`, 0);
    this.log('error', 'bridge.child.not_started', { reason });
  }

  exited(lane: Lane, exit: ChildExit, hadSpoken: boolean): void {
    this.#lastExit = exit;
    const { reason, code, signal, wanted } = exit;
    this.log(wanted ? 'info' : 'warn', 'bridge.child.exited', { reason, code, signal });
    this.#problem = `server ${reason}`;
    const isOwn = this.definition.isolation === 'session';
    if (!wanted && !hadSpoken && lane.era === 'open' && this.#isModern !== true && !this.#endsWhenAsked) {
      // Whether it is broken or only strict shows when it is spoken to in the legacy way, so nothing is held against it yet.
      this.#endsWhenAsked = true;
      this.#isModern = false;
    } else if (!wanted && !(isOwn && hadSpoken)) {
      // One client's crash is not held against the others' processes; a server that does not even start is.
      this.#failed(this.#problem, exit.uptimeMs);
      if (!hadSpoken) this.#endsWhenAsked = false;
    }
    if (lane.child === undefined && (isOwn || lane.sessions.size === 0)) this.#lanes.delete(lane);
  }

  retired(lane: Lane): void {
    this.#dormant.add(lane.era);
    // Where nothing is awake, neither era is for a probe to wake.
    if ([...this.#lanes].every(({ child }) => child === undefined)) this.#dormant.add('open').add('legacy');
  }

  unavailable(): Unavailable {
    const waitMs = this.#backoff.remaining(Date.now());
    return {
      code: 'child_failed',
      message: this.#problem ?? 'server is not running',
      retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
      stderrTail: this.stderr.tail(SHOWN_STDERR_LINES),
    };
  }

  state(): ServerState {
    const running = [...this.#lanes].flatMap(({ child, era }) => (child === undefined ? [] : [{ child, era }]));
    const [first] = running;
    const isBackingOff = this.#backoff.remaining(Date.now()) > 0;
    const exit = this.#lastExit;
    return {
      name: this.definition.name,
      fingerprint: this.definition.fingerprint,
      isolation: this.definition.isolation,
      state: first !== undefined ? 'running' : isBackingOff ? 'backing_off' : 'idle',
      ...(first?.child.pid === undefined ? {} : { pid: first.child.pid, started_at: first.child.startedAt }),
      children: running.map(({ child, era }) => ({ pid: child.pid, era, started_at: child.startedAt })),
      sessions: this.#sessions.size,
      restarts: this.#restarts,
      ...(exit === undefined
        ? {}
        : { last_exit: { reason: exit.reason, code: exit.code, signal: exit.signal, at: exit.at } }),
      stderr_tail: this.stderr.tail(SHOWN_STDERR_LINES),
    };
  }

  #failed(problem: string, uptimeMs: number): void {
    this.#hasFailed = true;
    this.#problem = problem;
    this.#backoff.failed(Date.now(), uptimeMs, Math.random());
  }

  #legacyLane(version: string): Lane {
    const lanes = [...this.#lanes];
    const isShared = this.definition.isolation === 'shared';
    const same = isShared ? lanes.find((lane) => lane.era === 'legacy' && lane.protocolVersion === version) : undefined;
    if (same !== undefined) return same;
    // A process that was only asked whether it is modern, and did not say yes, can still shake hands.
    const lane = lanes.find(({ era, provenModern }) => era === 'open' && !provenModern) ?? this.#addLane('legacy');
    lane.era = 'legacy';
    lane.protocolVersion = version;
    return lane;
  }

  #addLane(era: LaneEra): Lane {
    const lane = new Lane(this, era);
    this.#lanes.add(lane);
    return lane;
  }
}

function refusal(code: Unavailable['code'], message: string, retryAfterSeconds: number): Unavailable {
  return { code, message, retryAfterSeconds, stderrTail: [] };
}
