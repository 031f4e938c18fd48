// The official SDKs' clients against the reference servers, through the bridge.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { ClientOptions } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { BridgeProcess, MODERN } from '../../support/bridge-process.ts';
import { referenceServer } from '../../support/reference-servers.ts';

let bridge: BridgeProcess;
let folder: string;
beforeAll(async () => {
  bridge = await BridgeProcess.start();
  folder = await mkdtemp(join(tmpdir(), 'bridge-files-'));
  await writeFile(join(folder, 'note.txt'), 'kept in a file');
  await bridge.define('everything', referenceServer('server-everything'));
  await bridge.define('files', referenceServer('server-filesystem', folder));
  await bridge.define('modern', [process.execPath, MODERN]);
});
afterAll(async () => {
  await bridge.stop();
  await rm(folder, { recursive: true });
});

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
});

function address(name: string): [URL, { requestInit: RequestInit }] {
  return [new URL(`${bridge.url}/servers/${name}/mcp`), { requestInit: { headers: bridge.headers() } }];
}

async function connect(name: string, options: ClientOptions = {}): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, options);
  open.push(client);
  await client.connect(new StreamableHTTPClientTransport(...address(name)));
  return client;
}

async function connectLegacy(name: string): Promise<LegacyClient> {
  const client = new LegacyClient({ name: 'legacy', version: '1' });
  open.push(client);
  // Its declared types do not know exactOptionalPropertyTypes.
  await client.connect(new LegacyTransport(...address(name)) as unknown as Parameters<LegacyClient['connect']>[0]);
  return client;
}

function text(result: unknown): string {
  const { content } = result as { content: { text: string }[] };
  return content[0]?.text ?? '';
}

const MODERN_ERA: ClientOptions = { versionNegotiation: { mode: { pin: '2026-07-28' } } };
const EITHER_ERA: ClientOptions = { versionNegotiation: { mode: 'auto' } };

test.each(['v2', 'v1'])('server-filesystem serves files to the %s client', async (version) => {
  const client = version === 'v2' ? await connect('files') : await connectLegacy('files');
  const { tools } = await client.listTools();
  expect(tools.map((tool) => tool.name)).toContain('read_text_file');
  const read = await client.callTool({ name: 'read_text_file', arguments: { path: join(folder, 'note.txt') } });
  expect(text(read)).toBe('kept in a file');
  const refused = await client.callTool({ name: 'read_text_file', arguments: { path: '/etc/passwd' } });
  expect(refused.isError).toBe(true);
});

test('server-everything: content of every kind, resources, prompts and structured results come through', async () => {
  const client = await connect('everything');
  const image = await client.callTool({ name: 'get-tiny-image', arguments: {} });
  expect((image.content as { type: string }[]).map((part) => part.type)).toContain('image');
  const structured = await client.callTool({ name: 'get-structured-content', arguments: { location: 'New York' } });
  expect(structured.structuredContent).toMatchObject({ conditions: expect.any(String) as string });
  expect((await client.listResources()).resources.length).toBeGreaterThan(0);
  expect((await client.listPrompts()).prompts.length).toBeGreaterThan(0);
});

test('both SDKs at once on one process: answers and progress reach the one that asked', async () => {
  const [second, first] = [await connect('everything'), await connectLegacy('everything')];
  const heard = { first: [] as number[], second: [] as number[] };
  const slow = { name: 'trigger-long-running-operation' };
  const [long, short, ...echoes] = await Promise.all([
    first.callTool({ ...slow, arguments: { duration: 0.6, steps: 3 } }, undefined, {
      onprogress: ({ progress }) => heard.first.push(progress),
    }),
    second.callTool(
      { ...slow, arguments: { duration: 0.4, steps: 2 } },
      {
        onprogress: ({ progress }) => heard.second.push(progress),
      },
    ),
    ...Array.from({ length: 20 }, (_, n) =>
      [first, second].map(async (client, who) => {
        const message = `${who}-${n}`;
        return [message, text(await client.callTool({ name: 'echo', arguments: { message } }))] as const;
      }),
    ).flat(),
  ]);
  expect(text(long)).toContain('Steps: 3');
  expect(text(short)).toContain('Steps: 2');
  expect(heard).toEqual({ first: [1, 2, 3], second: [1, 2] });
  for (const [message, answer] of echoes) expect(answer).toBe(`Echo: ${message}`);
  expect((await bridge.state('everything')).children).toHaveLength(1);
});

test('the server asks its client in the middle of a call', async () => {
  await bridge.define('asking', referenceServer('server-everything'), { isolation: 'session' });
  const client = new Client(
    { name: 'test', version: '1' },
    { capabilities: { elicitation: { form: {} }, sampling: {} } },
  );
  open.push(client);
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada' } }));
  client.setRequestHandler('sampling/createMessage', (request) => ({
    model: 'mock',
    role: 'assistant',
    content: { type: 'text', text: `heard ${JSON.stringify(request.params.messages[0]?.content).length} characters` },
  }));
  await client.connect(new StreamableHTTPClientTransport(...address('asking')));
  const asked = await client.callTool({ name: 'trigger-elicitation-request', arguments: {} });
  expect(JSON.stringify(asked.content)).toContain('Ada');
  const sampled = await client.callTool({
    name: 'trigger-sampling-request',
    arguments: { prompt: 'hello', maxTokens: 5 },
  });
  expect(JSON.stringify(sampled.content)).toMatch(/heard \d+ characters/);
});

test('a modern client: discovery, calls and progress, without a session', async () => {
  const client = await connect('modern', MODERN_ERA);
  expect(client.getProtocolEra()).toBe('modern');
  expect((await client.listTools()).tools.map((tool) => tool.name)).toContain('era');
  expect(text(await client.callTool({ name: 'era' }))).toMatch(/^modern /);
  const heard: number[] = [];
  const stepped = await client.callTool(
    { name: 'steps', arguments: { count: 3 } },
    { onprogress: ({ progress }) => heard.push(progress) },
  );
  expect([text(stepped), heard]).toEqual(['3 steps', [1, 2, 3]]);
});

test('a server of both eras serves each client in its own, from a process for each', async () => {
  const clients = [
    await connect('modern', MODERN_ERA),
    await connect('modern'),
    await connect('modern', EITHER_ERA),
    await connectLegacy('modern'),
  ];
  const answers = await Promise.all(clients.map(async (client) => text(await client.callTool({ name: 'era' }))));
  expect(answers.map((answer) => answer.split(' ')[0])).toEqual(['modern', 'legacy', 'modern', 'legacy']);
  expect(new Set(answers).size).toBe(2);
});

test('a legacy server asked for its era needs no second process, before its handshake or after', async () => {
  await bridge.define('plain', referenceServer('server-everything'));
  const [early] = [await connect('plain', EITHER_ERA), await connect('plain', EITHER_ERA)];
  expect(early.getProtocolEra()).toBe('legacy');
  await bridge.define('plain-late', referenceServer('server-everything'));
  await connect('plain-late');
  const late = await connect('plain-late', EITHER_ERA);
  expect(late.getProtocolEra()).toBe('legacy');
  await expect.poll(async () => (await bridge.state('plain-late')).children).toHaveLength(1);
  expect((await bridge.state('plain')).children).toHaveLength(1);
});

test('two modern subscriptions with one id each hear of changes under their own', async () => {
  const heard = [0, 0];
  const listeners = await Promise.all(
    heard.map((_, who) =>
      connect('modern', {
        ...MODERN_ERA,
        listChanged: {
          tools: { onChanged: () => void (heard[who] = (heard[who] ?? 0) + 1), autoRefresh: false, debounceMs: 0 },
        },
      }),
    ),
  );
  await listeners[0]?.callTool({ name: 'change' });
  await expect.poll(() => heard).toEqual([1, 1]);
  await listeners[0]?.close();
  await listeners[1]?.callTool({ name: 'change' });
  await expect.poll(() => heard).toEqual([1, 2]);
});

test.each([
  ['modern', MODERN_ERA],
  ['legacy', {}],
])('a %s client that gives up cancels its call at the server', async (_, options) => {
  await bridge.define('cancel', [process.execPath, MODERN], { fingerprint: 'f1' });
  const client = await connect('cancel', options);
  const cancelled = async (): Promise<number> =>
    (await bridge.state('cancel')).stderr_tail.filter((line) => line === 'wait was cancelled').length;
  const before = await cancelled();
  const abort = new AbortController();
  const call = client.callTool({ name: 'wait' }, { signal: abort.signal });
  setTimeout(() => abort.abort(), 100);
  await expect(call).rejects.toThrow();
  await expect.poll(cancelled).toBe(before + 1);
});
