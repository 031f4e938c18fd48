// The admin API on the real D1 of the test, with its recorder and its health objects watched.
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { Hono } from 'hono';
import type { AuditEvent } from '../../../../src/audit/event.ts';
import { hashVirtualKey } from '../../../../src/auth/virtual-key.ts';
import { openKeyring, type Keyring } from '../../../../src/config/keyring.ts';
import { ConfigurationUnavailable } from '../../../../src/config/stored.ts';
import type { Env } from '../../../../src/env.ts';
import type { AppEnv } from '../../../../src/http/app-env.ts';
import { authenticate } from '../../../../src/http/middleware/authenticate.ts';
import { requestContext } from '../../../../src/http/middleware/request-context.ts';
import { adminRoutes } from '../../../../src/http/routes/admin/index.ts';
import type { Services } from '../../../../src/services.ts';
import { createConfigStore } from '../../../../src/stores/d1/config-store.ts';
import { migrate } from '../../../../src/stores/d1/migrate.ts';
import { createPolicyStore, expireSnapshot } from '../../../../src/stores/d1/policy-store.ts';
import { NO_LIMITS } from '../../no-limits.ts';

export const ADMIN_TOKEN = 'test-admin-token';
/** 32 bytes, of the tests only. */
export const MASTER_KEY = 'dGVzdC1vbmx5LW1hc3Rlci1rZXktMzItYnl0ZXMhISE=';

export interface TestGateway {
  /** Sends a request as the operator. */
  admin(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  readonly services: Services;
  readonly recorded: { payer: string; event: AuditEvent; durable: boolean }[];
  /** Servers whose health object was touched. */
  readonly touched: string[];
  /** Servers whose health object was told that they are gone. */
  readonly retired: string[];
  /** Makes the recorder refuse. */
  auditDown: boolean;
  settle(): Promise<void>;
}

const now = (): number => Date.now();
function unused(): never {
  throw new Error('not part of this test');
}

/** @param overrides of the worker's environment */
export function testGateway(overrides: Partial<Env> = {}): TestGateway {
  const bindings: Env = { ...env, SALLYPORT_ADMIN_TOKEN: ADMIN_TOKEN, SALLYPORT_MASTER_KEY: MASTER_KEY, ...overrides };
  const pending: Promise<unknown>[] = [];
  const keyring = async (): Promise<Keyring> => {
    const opened = await openKeyring(bindings.SALLYPORT_MASTER_KEY);
    if (!opened.ok) throw new ConfigurationUnavailable(opened.error);
    return opened.value;
  };
  const waitUntil = (promise: Promise<unknown>): void => void pending.push(promise);
  const gateway: Omit<TestGateway, 'services'> = {
    recorded: [],
    touched: [],
    retired: [],
    auditDown: false,
    async settle() {
      await Promise.all(pending.splice(0));
    },
    admin: (method, path, body, headers = {}) =>
      gateway.fetch(path, {
        method,
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    fetch: async (path, init) =>
      app.fetch(new Request(`http://gateway${path}`, init), bindings, createExecutionContext()),
  };
  const record = (payer: string, event: AuditEvent, durable: boolean): void => {
    if (gateway.auditDown) throw new Error('the ledger is out of reach');
    gateway.recorded.push({ payer, event, durable });
  };
  const services = {
    now,
    waitUntil,
    snapshot: createPolicyStore({ db: bindings.DB, keyring, now, waitUntil }),
    hashVirtualKey: async (key) => hashVirtualKey((await keyring()).virtualKeys, key),
    configStore: createConfigStore({ db: bindings.DB, keyring, now }),
    admission: NO_LIMITS,
    recorder: {
      durable: async (payer, event) => record(payer, event, true),
      batched: (payer, event) => record(payer, event, false),
      settled: () => undefined,
    },
    upstreamViews: {
      async view(upstream) {
        gateway.touched.push(upstream.name);
        const health = { state: 'unknown', breaker: 'closed', consecutiveFailures: 0, toolCount: 0 } as const;
        return { health };
      },
      refresh: unused,
      relist: unused,
      report: unused,
    },
    healthRecords: {
      async retire(upstream) {
        gateway.retired.push(upstream);
      },
      peek: async () => ({
        state: 'failing',
        breaker: 'open',
        consecutiveFailures: 3,
        toolCount: 0,
        checkedAt: 1_800_000_000_000,
        lastError: { stage: 'connect', message: 'connection refused', at: 1_800_000_000_000, since: 1_799_999_990_000 },
      }),
    },
    definitionRecords: { toolNames: unused, read: unused, approve: unused },
    upstreamNetwork: { endpoint: unused },
    auditReader: { read: unused },
    // What serves agents is not reached from here.
  } satisfies Partial<Services> as unknown as Services;
  const app = new Hono<AppEnv>();
  app.use(requestContext(() => services));
  app.route('/api', adminRoutes());
  app.get('/guarded', authenticate('openai'), (c) => c.json(c.var.principal));
  app.all('/mcp', authenticate('jsonrpc'), (c) => c.json(c.var.principal));
  return Object.assign(gateway, { services });
}

/** On an empty configuration. */
export async function freshGateway(): Promise<TestGateway> {
  await migrate(env.DB);
  await emptyConfiguration();
  expireSnapshot();
  return testGateway();
}

/** Empties the configuration, as no change through the store does; equal revisions stay equal configurations. */
export async function emptyConfiguration(): Promise<void> {
  await env.DB.batch([
    env.DB.prepare('DELETE FROM config_objects'),
    env.DB.prepare('UPDATE config_revision SET revision = revision + 1'),
  ]);
}

/** Every cell of every table, to look for what must not be in any. */
export async function allCells(): Promise<string> {
  const tables = await env.DB.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all<{ name: string }>();
  const contents = await Promise.all(
    tables.results
      .filter(({ name }) => !/^(_cf|sqlite)_/.test(name))
      .map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`).all()),
  );
  return JSON.stringify(contents.map(({ results }) => results));
}
