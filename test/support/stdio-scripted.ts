// A legacy stdio server without a library, whose tools misbehave on request. What it was told is in the answer of `seen`.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

type Json = Record<string, unknown>;

const flags = new Set(process.argv.slice(2));
const seen: Json[] = [];
const answers = new Map<unknown, (answer: Json) => void>();
let lastId = 0;

function write(message: Json): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

function ask(method: string): Promise<Json> {
  lastId += 1;
  const id = lastId;
  write({ id, method, params: { message: 'your name?', requestedSchema: { type: 'object', properties: {} } } });
  return new Promise((resolve) => answers.set(id, resolve));
}

const tools: Record<string, (given: Json, id: unknown, meta: Json) => unknown> = {
  seen: () => seen,
  env: () => process.env,
  pid: () => process.pid,
  delay: ({ ms, text }) => new Promise((resolve) => setTimeout(() => resolve(text), Number(ms))),
  hang: () => new Promise(() => {}),
  crash: ({ code }) => process.exit(Number(code)),
  junk: () => {
    process.stdout.write('Hello, I am a banner\n{"not":"a message"}\n[1,2]\n');
    return 'after junk';
  },
  flood: () => {
    process.stdout.write('x'.repeat(65 * 1024 * 1024));
    return 'never';
  },
  stderr: ({ text }) => {
    process.stderr.write(`${String(text)}\n`);
    return 'said';
  },
  ask: async () => ask('elicitation/create'),
  ping: async () => ask('ping'),
  log: ({ text }) => {
    write({ method: 'notifications/message', params: { level: 'info', data: text } });
    return 'logged';
  },
  changed: () => {
    write({ method: 'notifications/tools/list_changed' });
    return 'changed';
  },
  updated: ({ uri }) => {
    write({ method: 'notifications/resources/updated', params: { uri } });
    return 'updated';
  },
  progress: ({ text }, _id, meta) => {
    for (const progress of [1, 2]) {
      write({
        method: 'notifications/progress',
        params: { progressToken: meta['progressToken'], progress, message: text },
      });
    }
    return text;
  },
  grandchild: () => spawn('sleep', ['600'], { stdio: 'ignore' }).pid,
};

async function serve(message: Json): Promise<void> {
  const { id, method } = message;
  if (flags.has('--strict') && seen.length === 0 && method !== 'initialize') process.exit(4);
  const params = (message['params'] ?? {}) as Json;
  if (method === undefined) {
    answers.get(id)?.(message);
    return;
  }
  seen.push({ method, params });
  if (id === undefined) return;
  if (method === 'initialize') {
    if (flags.has('--hang-at-start')) return;
    const experimental = flags.has('--changing') ? { experimental: { [`of-${process.pid}`]: {} } } : {};
    const capabilities = { tools: {}, logging: {}, resources: { subscribe: true }, ...experimental };
    const result = {
      protocolVersion: params['protocolVersion'],
      capabilities,
      serverInfo: { name: 'scripted', version: '1' },
    };
    write({ id, result });
  } else if (method === 'tools/call') {
    const tool = tools[String(params['name'])];
    if (tool === undefined) return write({ id, error: { code: -32602, message: 'unknown tool' } });
    const value = await tool((params['arguments'] ?? {}) as Json, id, (params['_meta'] ?? {}) as Json);
    write({ id, result: { content: [{ type: 'text', text: JSON.stringify(value ?? null) }] } });
  } else if (method === 'server/discover') {
    write({ id, error: { code: -32601, message: 'Method not found' } });
  } else {
    write({ id, result: {} });
  }
}

if (flags.has('--fail-at-start')) {
  process.stderr.write(`cannot start: token ${process.env['API_TOKEN'] ?? 'absent'} was refused\n`);
  process.exit(3);
}
if (flags.has('--stubborn')) {
  process.on('SIGTERM', () => {});
  setInterval(() => {}, 1000);
}
createInterface({ input: process.stdin }).on('line', (line) => void serve(JSON.parse(line) as Json));
