// The agent loop over a scripted provider and a toolbox of the test's own.
import type { AuditEvent } from '../../../../src/audit/event.ts';
import { callWithTools } from '../../../../src/llm/agent/agent-loop.ts';
import { agentDialectOf } from '../../../../src/llm/agent/dialects.ts';
import type { ListedTool, ToolAnswer, ToolUse } from '../../../../src/llm/agent/toolbox.ts';
import { OPERATIONS, type Operation } from '../../../../src/llm/operation.ts';
import { scanJson } from '../../../../src/lib/json-scan.ts';
import { parseJson, isObject, type JsonObject } from '../../../../src/lib/json-value.ts';
import { err, ok, type Result } from '../../../../src/lib/result.ts';
import { settingsDocument } from '../../../../src/config/document.ts';
import type { LlmAnswer } from '../../../../src/llm/call-model.ts';
import { failure, type Failure } from '../../../../src/policy/failure.ts';
import { wireTurn, type AgentWireDialect, type ScriptedTurn } from '../../../support/agent-wire.ts';
import { NO_LIMITS } from '../../no-limits.ts';

export const DIALECTS: readonly AgentWireDialect[] = ['chat', 'responses', 'messages'];
const OPERATION: Readonly<Record<AgentWireDialect, Operation>> = {
  chat: OPERATIONS.chatCompletions,
  responses: OPERATIONS.responses,
  messages: OPERATIONS.messages,
};

export interface AgentRigOptions {
  readonly dialect: AgentWireDialect;
  /** What the model says at each call, or a refusal with that status. */
  readonly turns: readonly (ScriptedTurn | number)[];
  readonly tools?: readonly ListedTool[];
  readonly call?: (use: ToolUse, signal: AbortSignal) => Promise<Result<ToolAnswer, Failure>>;
  readonly maxDepth?: number;
  /** Cuts a stream's text into the chunks in which it arrives; one chunk when left out. */
  readonly chunked?: (text: string) => readonly Uint8Array[];
}

export interface AgentRig {
  readonly events: AuditEvent[];
  /** The bodies the provider was sent. */
  readonly sent: JsonObject[];
  readonly texts: string[];
  readonly calls: ToolUse[];
  readonly ask: (body: JsonObject | string, headers?: Record<string, string>) => Promise<Result<LlmAnswer, Failure>>;
}

export function autoTool(name: string, more: Partial<ListedTool> = {}): ListedTool {
  return { name, description: `does ${name}`, inputSchema: { type: 'object' }, autoExecute: true, ...more };
}

export function said(text: string): ToolAnswer {
  return { isError: false, content: [{ type: 'text', text }] };
}

export function agentRig(options: AgentRigOptions): AgentRig {
  const { dialect, tools = [autoTool('files__read'), autoTool('files__write', { autoExecute: false })] } = options;
  const rig: Omit<AgentRig, 'ask'> = { events: [], sent: [], texts: [], calls: [] };
  const provider = async (_input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const text = String(init?.body);
    const request = parseJson(text);
    const turn = options.turns[rig.sent.length] ?? { text: 'Nothing more.' };
    const wire = typeof turn === 'number' ? undefined : wireTurn(dialect, 'model-1', turn, rig.sent.length);
    rig.texts.push(text);
    if (isObject(request)) rig.sent.push(request);
    if (wire === undefined) return Response.json({ error: { message: 'slow down' } }, { status: Number(turn) });
    if (!isObject(request) || request['stream'] !== true) return Response.json(wire.json);
    return eventStream(wire.events.join(''), options.chunked);
  };
  const agent = agentDialectOf(OPERATION[dialect].path);
  if (agent === undefined) throw new Error(`${dialect} is no dialect of the agent loop`);
  return {
    ...rig,
    ask: (body, headers) => callWithTools(portsOf(options, rig, provider), CALLER, requestOf(body, headers)),
  };

  function requestOf(body: JsonObject | string, headers: Record<string, string> = {}) {
    const text = typeof body === 'string' ? body : JSON.stringify({ model: 'p/model-1', ...body });
    return {
      operation: OPERATION[dialect],
      body: { text, value: parseJson(text), members: scanJson(text, 0).members, byteLength: text.length },
      headers: new Headers(headers),
      search: '',
      signal: new AbortController().signal,
      providers: new Map([['p', providerFor(dialect)]]),
      agent: agent as NonNullable<typeof agent>,
      maxDepth: options.maxDepth ?? 10,
    };
  }

  function portsOf(given: AgentRigOptions, { events, calls }: Omit<AgentRig, 'ask'>, fetch: typeof globalThis.fetch) {
    return {
      now: () => Date.now(),
      waitUntil: () => {},
      random: () => 0,
      fetch,
      statusOf: () => 500,
      refusesConnections: async () => false,
      admission: NO_LIMITS,
      recorder: {
        durable: async () => {},
        batched: (_payer: string, event: AuditEvent) => void events.push(event),
        settled: () => {},
      },
      errorBody: async (reason: Failure) => ({ type: 'error', error: { message: reason.message, code: reason.code } }),
      toolbox: {
        list: async () => tools,
        call: async (use: ToolUse, { signal, parentId }: { signal: AbortSignal; parentId?: string }) => {
          calls.push(use);
          events.push({ kind: 'tool.call', tool_use_id: use.id, parent_id: parentId } as AuditEvent);
          return given.call === undefined ? ok(said(`${use.name} done`)) : given.call(use, signal);
        },
      },
    };
  }
}

function providerFor(dialect: AgentWireDialect) {
  const type = dialect === 'messages' ? 'anthropic' : 'openai';
  return { name: 'p', type, base_url: 'http://provider.test', keys: [] };
}

const CALLER = {
  virtualKey: {
    principal: { kind: 'virtual_key', keyId: 'vk_1', keyName: 'tester', payer: 'key:vk_1' },
    providers: new Map([['p', { models: ['*'], weight: 1 }]]),
  },
  settings: settingsDocument.parse({}),
  requestId: 'req_1',
  receivedAt: 1,
} as const;

function eventStream(text: string, chunked?: (text: string) => readonly Uint8Array[]): Response {
  const chunks = chunked?.(text) ?? [new TextEncoder().encode(text)];
  let next = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks[next++];
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

export async function textOf(answer: Result<LlmAnswer, Failure>): Promise<string> {
  if (!answer.ok) throw new Error(answer.error.message);
  return new Response(answer.value.body).text();
}

export async function jsonOf(answer: Result<LlmAnswer, Failure>): Promise<JsonObject> {
  const value = parseJson(await textOf(answer));
  if (!isObject(value)) throw new Error('the answer is no JSON object');
  return value;
}

/** The events of a stream; their data parsed where it is JSON. */
export function eventsIn(text: string): { type: string; data: JsonObject }[] {
  return text
    .split('\n\n')
    .filter((event) => event !== '' && !event.startsWith(':'))
    .map((event) => {
      const type = /^event: (.*)$/m.exec(event)?.[1] ?? '';
      const value = parseJson(/^data: (.*)$/m.exec(event)?.[1] ?? '');
      return { type, data: isObject(value) ? value : { text: /^data: (.*)$/m.exec(event)?.[1] } };
    });
}

export const unavailable = err(failure('upstream_unavailable', 'The server "files" is down.'));
