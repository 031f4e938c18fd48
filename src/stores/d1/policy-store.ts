// The policy snapshot of this isolate. Module scope holds plain data only: each request asks the database for itself.
import { compileSnapshot } from '../../config/compile.ts';
import type { Keyring } from '../../config/keyring.ts';
import { openObject } from '../../config/sealed-object.ts';
import { describeFault, log } from '../../lib/log.ts';
import type { PolicySnapshot } from '../../policy/snapshot.ts';
import { readRevision, readState } from './config-rows.ts';

export interface PolicyStoreOptions {
  readonly db: D1Database;
  /** @throws ConfigurationUnavailable */
  readonly keyring: () => Promise<Keyring>;
  readonly now: () => number;
  readonly waitUntil: (promise: Promise<unknown>) => void;
}

/** Up to this age a snapshot is used as it is. */
const FRESH_MS = 500;
/** From this age on nobody is let in by it. It bounds how long a revoked key goes on working. */
const STALE_MS = 1000;
/** How long, in steps, a request waits for another one's load of the same revision before it loads for itself. */
const LOAD_WAIT_STEPS = 50;
const LOAD_WAIT_STEP_MS = 10;

interface Held {
  readonly snapshot: PolicySnapshot;
  /** When the database was asked, milliseconds since the epoch. */
  readonly askedAt: number;
}

let held: Held | undefined;
/** Set while a request refreshes behind its response; a request that dies leaves it to expire. */
let backgroundSince = -Infinity;
let loadingSince = -Infinity;
/** Counts this isolate's own changes: what was asked before one says nothing about the time after it. */
let changes = 0;

/** To be called after a change of the configuration: this isolate sees it with the next request. */
export function expireSnapshot(): void {
  changes++;
  if (held !== undefined) held = { ...held, askedAt: -Infinity };
}

/** @returns a function that gives a snapshot younger than `STALE_MS`. It throws when there is none: fail closed. */
export function createPolicyStore(options: PolicyStoreOptions): () => Promise<PolicySnapshot> {
  return async function currentSnapshot() {
    const now = options.now();
    const age = held === undefined ? Infinity : now - held.askedAt;
    // A negative age means that the clock was set back.
    if (held === undefined || age < 0 || age >= STALE_MS) return refresh(options);
    if (age >= FRESH_MS && now - backgroundSince >= STALE_MS) {
      backgroundSince = now;
      options.waitUntil(refreshBehind(options));
    }
    return held.snapshot;
  };
}

async function refreshBehind(options: PolicyStoreOptions): Promise<void> {
  try {
    await refresh(options);
  } catch (fault) {
    // The next request past `STALE_MS` meets the same fault and is refused.
    log('error', 'policy.refresh_failed', { fault: describeFault(fault) });
  } finally {
    backgroundSince = -Infinity;
  }
}

async function refresh(options: PolicyStoreOptions): Promise<PolicySnapshot> {
  const askedAt = options.now();
  const changesBefore = changes;
  const hold = (snapshot: PolicySnapshot): PolicySnapshot => {
    const overtaken = held !== undefined && held.askedAt > askedAt && held.askedAt <= options.now();
    if (changes === changesBefore && !overtaken) held = { snapshot, askedAt };
    return snapshot;
  };
  const keyring = await options.keyring();
  const revision = await readRevision(options.db);
  await awaitOtherLoad(options, revision);
  if (held?.snapshot.revision === revision) return hold(held.snapshot);
  loadingSince = options.now();
  try {
    return hold(await load(options.db, keyring));
  } finally {
    loadingSince = -Infinity;
  }
}

/** Many requests that find the same change need not all load it. */
async function awaitOtherLoad(options: PolicyStoreOptions, revision: number): Promise<void> {
  for (let step = 0; step < LOAD_WAIT_STEPS; step++) {
    if (held?.snapshot.revision === revision || options.now() - loadingSince >= STALE_MS) return;
    await scheduler.wait(LOAD_WAIT_STEP_MS);
  }
}

async function load(db: D1Database, keyring: Keyring): Promise<PolicySnapshot> {
  const state = await readState(db, keyring);
  const objects = await Promise.all(state.objects.map((sealed) => openObject(keyring, sealed)));
  return compileSnapshot(state.revision, objects);
}
