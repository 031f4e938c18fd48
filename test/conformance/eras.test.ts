// What one side may ask or tell the other, in the four combinations of the client's era and the upstream's, at the
// upstream's own endpoint and at the one that all share. The first two describes are the fixtures themselves, without the
// gateway: where they fail, the others say nothing.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fixture } from '../support/fixture-http.ts';
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts';
import { connectEraClient, ERAS, MODEL_WORDS, ROOT, USER_NAME, type Era, type EraClient } from './eras-client.ts';
import { startLegacyUpstream, startModernUpstream, WATCHED } from './eras-upstreams.ts';

const KEY = 'vk-eras-of-the-test';
const HEARD_WITHIN_MS = 5_000;

let upstreams: Record<Era, Fixture>;
let gateway: GatewayProcess;

beforeAll(async () => {
  upstreams = { modern: await startModernUpstream(), legacy: await startLegacyUpstream() };
  gateway = await startGateway({
    config: `
mcp:
  servers:
    - { name: modern, type: http, url: "${upstreams.modern.url}/mcp" }
    - { name: legacy, type: http, url: "${upstreams.legacy.url}/mcp" }
virtual_keys:
  - key_name: eras
    key: ${KEY}
    mcp_clients:
      - { name: modern, allowed_tools: ["*"] }
      - { name: legacy, allowed_tools: ["*"] }
`,
  });
}, 120_000);

afterAll(async () => {
  await gateway?.stop();
  await gateway?.discard();
  await Promise.all(Object.values(upstreams ?? {}).map((upstream) => upstream.stop()));
});

interface Door {
  readonly upstream: Era;
  connect(): Promise<EraClient>;
  /** Before the names of tools. */
  readonly prefix?: string;
  readonly watched?: string;
}

const headers = { authorization: `Bearer ${KEY}` };

for (const era of ERAS) {
  describe(`${era} client directly at the ${era} upstream`, () =>
    behaviours({ upstream: era, connect: () => connectEraClient(era, `${upstreams[era].url}/mcp`, {}) }));
}
for (const client of ERAS) {
  for (const upstream of ERAS) {
    describe(`${client} client, ${upstream} upstream`, () =>
      behaviours({ upstream, connect: () => connectEraClient(client, `${gateway.url}/mcp/${upstream}`, headers) }));
    describe(`${client} client, ${upstream} upstream among others`, () =>
      behaviours({
        upstream,
        connect: () => connectEraClient(client, `${gateway.url}/mcp`, headers),
        prefix: `${upstream}__`,
        // Both upstreams have it, so neither is shown under the plain URI.
        watched: `mcp+${upstream}+${WATCHED}`,
      }));
  }
}

function behaviours({ upstream, connect, prefix = '', watched = WATCHED }: Door): void {
  let client: EraClient;
  beforeAll(async () => {
    client = await connect();
  });
  afterAll(() => client?.close());

  it('elicitation', async () => {
    expect(await client.call(`${prefix}ask_user`)).toBe(`hello ${USER_NAME}`);
  });

  it('sampling', async () => {
    expect(await client.call(`${prefix}ask_model`)).toContain(MODEL_WORDS);
  });

  it('roots', async () => {
    expect(await client.call(`${prefix}ask_roots`)).toBe(ROOT);
  });

  it('progress', async () => {
    const seen: number[] = [];
    expect(await client.call(`${prefix}count`, {}, { onProgress: (progress) => seen.push(progress) })).toBe('counted');
    expect(seen).toEqual([1, 2, 3]);
  });

  it('logging', async () => {
    client.heard.length = 0;
    await client.call(`${prefix}chatter`, {}, { logLevel: 'info' });
    await until(() => client.heard.length === 2);
    expect(client.heard).toEqual(['at info', 'at error']);
  });

  it('cancellation', async () => {
    const mark = crypto.randomUUID();
    const cancel = new AbortController();
    const call = client.call(`${prefix}wait`, { mark }, { signal: cancel.signal });
    setTimeout(() => cancel.abort(), 300);
    await expect(call).rejects.toThrow();
    await until(async () => (await stateOf(upstream)).cancelled.includes(mark), 10_000);
    // Whoever cancelled can go on.
    expect(await client.call(`${prefix}hello`)).toBe('called hello');
  });

  it('list_changed', async () => {
    await client.listen();
    client.heard.length = 0;
    const name = `learnt-${crypto.randomUUID().slice(0, 8)}`;
    await client.call(`${prefix}learn`, { name });
    await until(() => client.heard.includes('list_changed'));
    expect(await client.listTools()).toContain(prefix + name);
    expect(await client.call(prefix + name)).toBe(`called ${name}`);
  });

  it('resource update', async () => {
    await client.listen(watched);
    await until(async () => {
      await client.call(`${prefix}touch`);
      return client.heard.includes(`updated ${watched}`);
    });
  });
}

async function stateOf(upstream: Era): Promise<{ readonly cancelled: readonly string[] }> {
  const response = await fetch(`${upstreams[upstream].url}/control/state`);
  return (await response.json()) as { cancelled: string[] };
}

async function until(isSo: () => boolean | Promise<boolean>, withinMs = HEARD_WITHIN_MS): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not so within ${withinMs} ms`);
    await sleep(20);
  }
}
