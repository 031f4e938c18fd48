import { describe, expect, it } from 'vitest';
import type { CallToolResult, Tool } from '@modelcontextprotocol/server';
import type { AuditEvent } from '../../../src/audit/event.ts';
import { gatewayDocument } from '../../../src/config/document.ts';
import { compileSnapshot } from '../../../src/config/compile.ts';
import { objectsOf, type ConfigObject } from '../../../src/config/objects.ts';
import type { StoredObject } from '../../../src/config/stored.ts';
import { err, ok, type Result } from '../../../src/lib/result.ts';
import type { ToolAnswer, Toolbox } from '../../../src/llm/agent/toolbox.ts';
import { scopeOf } from '../../../src/mcp/scope.ts';
import type { ToolCallFailure, ToolInvocation } from '../../../src/mcp/tool-call.ts';
import { createToolbox, type ToolboxPorts } from '../../../src/mcp/toolbox.ts';
import { failure, type Failure } from '../../../src/policy/failure.ts';
import { HEALTHY } from './rig.ts';

const PATH = { type: 'object' as const, properties: { path: { type: 'string' } }, required: ['path'] };
const TOOLS: readonly Tool[] = [
  { name: 'read', description: 'reads', inputSchema: PATH },
  { name: 'write.all', inputSchema: { type: 'object', anyOf: [{ required: ['a'] }, { required: ['b'] }] } },
  { name: 'secret', inputSchema: { type: 'object' } },
  { name: 'read_for_app', inputSchema: PATH, _meta: { ui: { visibility: ['app'] } } },
  { name: 'remote', inputSchema: { type: 'object', properties: { a: { $ref: 'https://schemas.test/a.json' } } } },
];

interface Rig {
  readonly toolbox: Toolbox;
  readonly invoked: ToolInvocation[];
  readonly events: AuditEvent[];
}

function rig(answer: Result<CallToolResult, ToolCallFailure> = ok({ content: [] }), recordFails = false): Rig {
  const document = gatewayDocument.parse({
    mcp: { servers: [{ name: 'files', type: 'http', url: 'http://files.test/mcp', auto_execute: ['re*'] }] },
    virtual_keys: [
      { key_name: 'k', key: 'vk-toolbox', mcp_clients: [{ name: 'files', allowed_tools: ['read', 'write*', 're*'] }] },
    ],
  });
  const objects = objectsOf(document).map(stored);
  const snapshot = compileSnapshot(1, objects);
  const virtualKey = snapshot.virtualKeys.get('h');
  const scope = virtualKey === undefined ? undefined : scopeOf(snapshot, virtualKey);
  if (virtualKey === undefined || scope === undefined) throw new Error('the key does not compile');
  const invoked: ToolInvocation[] = [];
  const events: AuditEvent[] = [];
  const catalog = {
    fingerprint: 'f',
    tools: TOOLS,
    resources: [],
    templates: [],
    prompts: [],
    era: 'modern',
    capabilities: {},
    at: 0,
  };
  const ports = {
    now: () => 7,
    upstreamViews: { view: async () => ({ health: HEALTHY, catalog }) },
    recorder: {
      durable: async (_payer: string, event: AuditEvent) => {
        if (recordFails) throw new Error('the ledger is gone');
        events.push(event);
      },
      batched: () => {},
      settled: () => {},
    },
    toolInvoker: {
      invoke: async (_caller: unknown, invocation: ToolInvocation) => {
        invoked.push(invocation);
        return invocation.tool === 'secret' ? err(failure('tool_not_allowed', 'no')) : answer;
      },
    },
  } as unknown as ToolboxPorts;
  const { settings } = snapshot;
  return {
    toolbox: createToolbox(ports, { virtualKey, scope, settings, requestId: 'req_1', receivedAt: 1 }),
    invoked,
    events,
  };
}

function stored(object: ConfigObject): StoredObject {
  const key = object.kind === 'virtual_key' ? { hash: 'h', prefix: 'vk' } : undefined;
  return { ...object, id: object.name, fingerprint: 'f', key } as unknown as StoredObject;
}

function failed(error: ToolCallFailure): Promise<Result<ToolAnswer, Failure>> {
  return rig(err(error)).toolbox.call(use('files__read', { path: '/' }), context);
}

const context = { signal: new AbortController().signal, parentId: 'evt_1' };
const use = (name: string, given: Record<string, unknown> | undefined) => ({ id: 'call_1', name, arguments: given });

describe('a toolbox', () => {
  it('lists what the key may use under names that models take, and what may be run without asking', async () => {
    const tools = await rig().toolbox.list();
    expect(tools.map(({ name, autoExecute }) => [name, autoExecute])).toEqual([
      ['files__read', true],
      ['files__remote', true],
      [expect.stringMatching(/^files__write_all--[0-9a-z]{8}$/), false],
    ]);
    expect(tools[0]).toMatchObject({ description: 'reads', inputSchema: PATH });
  });

  it('calls a tool by its own name, with the id of the tool use', async () => {
    const { toolbox, invoked } = rig(ok({ content: [{ type: 'text', text: 'x' }] }));
    expect(await toolbox.call(use('files__read', { path: '/a' }), context)).toEqual(
      ok({ isError: false, content: [{ type: 'text', text: 'x' }] }),
    );
    const mended = (await toolbox.list())[2]?.name ?? '';
    await toolbox.call(use(mended, { a: 1 }), context);
    expect(invoked).toMatchObject([
      { upstream: 'files', tool: 'read', arguments: { path: '/a' }, meta: { toolUseId: 'call_1' } },
      { upstream: 'files', tool: 'write.all', arguments: { a: 1 } },
    ]);
  });

  it.each([
    ['files__read', { path: 7 }, /path/],
    ['files__read', {}, /required[^.]*\. Call it again/],
    ['files__read', undefined, /not a JSON object/],
  ])('refuses arguments to %s that do not fit: %j', async (name, given, problem) => {
    const { toolbox, invoked, events } = rig();
    const answer = await toolbox.call(use(name, given), context);
    expect(answer.ok && answer.value.isError && answer.value.content[0]).toMatchObject({
      text: expect.stringMatching(problem),
    });
    expect(invoked).toEqual([]);
    expect(events).toMatchObject([
      {
        kind: 'tool.call',
        outcome: 'error',
        reason: 'invalid_request',
        tool: 'read',
        tool_use_id: 'call_1',
        parent_id: 'evt_1',
      },
    ]);
  });

  it("checks by the tool's own schema, not by what the model was shown", async () => {
    const { toolbox, invoked } = rig();
    const name = (await toolbox.list())[2]?.name ?? '';
    expect(await toolbox.call(use(name, { c: 1 }), context)).toMatchObject({ value: { isError: true } });
    expect(invoked).toEqual([]);
  });

  it('leaves arguments to the server where the schema refers to the network', async () => {
    const { toolbox, invoked } = rig();
    await toolbox.call(use('files__remote', { a: 1 }), context);
    expect(invoked).toHaveLength(1);
  });

  it('answers alike for what is not granted and what is not there', async () => {
    const { toolbox } = rig(err(failure('not_found', 'The server has no such tool.')));
    const names = ['files__secret', 'files__reach', 'nowhere__read', 'nonsense'];
    for (const name of names)
      expect(await toolbox.call(use(name, {}), context)).toEqual(
        err(failure('tool_not_allowed', `There is no tool "${name}" for this key.`)),
      );
  });

  it('does not go on without a record', async () => {
    const { toolbox } = rig(undefined, true);
    expect(await toolbox.call(use('files__read', {}), context)).toMatchObject({
      ok: false,
      error: { code: 'audit_unavailable' },
    });
  });

  it.each<[what: string, result: Record<string, unknown>, content: unknown[]]>([
    [
      'pictures',
      { content: [{ type: 'image', data: 'aGk=', mimeType: 'image/png' }] },
      [{ type: 'image', data: 'aGk=', mimeType: 'image/png' }],
    ],
    [
      'a resource',
      { content: [{ type: 'resource', resource: { uri: 'a:b', text: 'in it' } }] },
      [{ type: 'text', text: 'in it' }],
    ],
    ['structured content alone', { content: [], structuredContent: { sum: 1 } }, [{ type: 'text', text: '{"sum":1}' }]],
    [
      'a link',
      { content: [{ type: 'resource_link', uri: 'a:b', name: 'n' }] },
      [{ type: 'text', text: '{"type":"resource_link","uri":"a:b","name":"n"}' }],
    ],
  ])('hands over %s', async (_what, result, content) => {
    const { toolbox } = rig(ok(result as CallToolResult));
    expect(await toolbox.call(use('files__read', { path: '/' }), context)).toEqual(ok({ isError: false, content }));
  });

  it.each([
    ['input_required', /asks for input/],
    ['task', /did not answer with a result/],
  ])('tells the model of an answer that is no result: %s', async (resultType, text) => {
    const { toolbox } = rig(ok({ resultType } as unknown as CallToolResult));
    expect(await toolbox.call(use('files__read', { path: '/' }), context)).toMatchObject({
      value: { isError: true, content: [{ text: expect.stringMatching(text) }] },
    });
  });

  it("hands on what the server itself answered, and fails with the gateway's failures", async () => {
    const answered = { ...failure('upstream_error', 'out of order'), answered: { code: -32050 } };
    expect(await failed(answered)).toMatchObject({
      ok: true,
      value: { isError: true, content: [{ text: 'out of order' }] },
    });
    expect(await failed(failure('upstream_timeout', 'late'))).toMatchObject({
      ok: false,
      error: { code: 'upstream_timeout' },
    });
  });
});
