// The tools that both well-behaved fixture upstreams offer, as plain schemas and functions.
import { setTimeout as sleep } from 'node:timers/promises';

export const FIXTURE_TOOLS = [
  {
    name: 'echo',
    description: 'Answers with the text it was given',
    inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
  },
  {
    name: 'add',
    description: 'Adds two numbers, structured',
    inputSchema: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } }, required: ['a', 'b'] },
    outputSchema: { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] },
  },
  { name: 'mixed', description: 'Every content type, with _meta', inputSchema: { type: 'object' } },
  { name: 'fail', description: 'A tool-level error', inputSchema: { type: 'object' } },
  { name: 'reject', description: 'A protocol-level error', inputSchema: { type: 'object' } },
  { name: 'slow', description: 'Waits `ms`, telling progress', inputSchema: { type: 'object' } },
  { name: 'headers', description: 'Answers with the headers it was called with', inputSchema: { type: 'object' } },
  { name: 'arguments', description: 'Says whether arguments were present', inputSchema: { type: 'object' } },
  {
    name: 'untruthful',
    description: 'Breaks its own output schema',
    inputSchema: { type: 'object' },
    outputSchema: { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] },
  },
  {
    name: 'region',
    description: 'Mirrors an argument into a header on the modern protocol',
    inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
  },
] as const;

/** What a fixture upstream saw; read by tests at `/control/state`. */
export interface UpstreamState {
  /** Tools called, in order. */
  readonly calls: string[];
  /** Methods received, in order. */
  readonly methods: string[];
  /** Session ids opened, in order; always empty for a stateless server. */
  readonly sessions: string[];
  /** How many calls of `slow` were cancelled. */
  cancelled: number;
}

export function newState(): UpstreamState {
  return { calls: [], methods: [], sessions: [], cancelled: 0 };
}

export interface ToolCallContext {
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
  readonly sessionId?: string | undefined;
  readonly reject: (code: number, message: string, data: unknown) => Error;
  readonly progress: (progress: number, total: number) => Promise<void>;
}

function text(value: string): { content: { type: 'text'; text: string }[] } {
  return { content: [{ type: 'text', text: value }] };
}

/** The result of a fixture tool; loosely typed, since it is relayed as it stands. */
export async function callFixtureTool(
  state: UpstreamState,
  params: { name: string; arguments?: Record<string, unknown> | undefined },
  context: ToolCallContext,
): Promise<{ content: { type: 'text'; text: string }[]; [member: string]: unknown }> {
  state.calls.push(params.name);
  const given = params.arguments;
  switch (params.name) {
    case 'echo':
      return text(String(given?.['text']));
    case 'add': {
      const sum = Number(given?.['a']) + Number(given?.['b']);
      return { ...text(String(sum)), structuredContent: { sum } };
    }
    case 'mixed':
      return MIXED as unknown as { content: { type: 'text'; text: string }[] };
    case 'fail':
      return { ...text('the disk is full'), isError: true };
    case 'reject':
      throw context.reject(-32050, 'this tool is out of order', { hint: 'tomorrow' });
    case 'slow':
      return text(await slow(state, Number(given?.['ms'] ?? 1000), context));
    case 'headers':
      return text(JSON.stringify({ ...context.headers, sessionId: context.sessionId }));
    case 'arguments':
      return text(given === undefined ? 'absent' : JSON.stringify(given));
    case 'untruthful':
      return { ...text('no sum'), structuredContent: { sum: 'not a number' } };
    case 'region':
      return text(context.headers['mcp-param-region'] ?? 'no header');
    default:
      throw context.reject(-32602, `Unknown tool: ${params.name}`, undefined);
  }
}

/** Members and content that no schema of a gateway should drop or reorder. */
const MIXED = {
  _meta: { 'example.com/trace': 'kept' },
  content: [
    { type: 'text', text: 'one', annotations: { audience: ['user'], priority: 0.5 } },
    { type: 'image', data: 'aGk=', mimeType: 'image/png' },
    { type: 'audio', data: 'aGk=', mimeType: 'audio/wav' },
    { type: 'resource_link', uri: 'file:///a', name: 'a' },
    { type: 'resource', resource: { uri: 'file:///b', text: 'b', mimeType: 'text/plain' }, _meta: { deep: true } },
  ],
  structuredContent: { list: [1, 'two', null] },
  unheardOf: { kept: true },
};

async function slow(state: UpstreamState, milliseconds: number, context: ToolCallContext): Promise<string> {
  const STEPS = 4;
  for (let step = 1; step <= STEPS; step++) {
    try {
      await sleep(milliseconds / STEPS, undefined, { signal: context.signal });
    } catch (error) {
      state.cancelled += 1;
      throw error;
    }
    await context.progress(step, STEPS);
  }
  return 'done';
}
