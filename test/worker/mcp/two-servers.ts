// A server with something of everything, and a smaller one beside it.
import { err, ok } from '../../../src/lib/result.ts';
import { catalogOf, methodsRig, scopeWith, type Answer, type RigOptions } from './rig.ts';

export const tool = (name: string, more: object = {}) => ({ name, inputSchema: { type: 'object' as const }, ...more });
export const NOTES = catalogOf({
  tools: [tool('search'), tool('add')],
  resources: [
    { uri: 'note://1', name: 'one' },
    { uri: 'shared://x', name: 'x' },
  ],
  resourceTemplates: [{ uriTemplate: 'note://{id}', name: 'note' }],
  prompts: [{ name: 'summarize', arguments: [{ name: 'id' }] }],
  capabilities: {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    prompts: {},
    completions: {},
    logging: {},
    extensions: { 'io.modelcontextprotocol/tasks': {}, 'example.org/own': {} },
    experimental: { odd: {} },
  },
  serverInfo: { name: 'notes', version: '3', title: 'Notes', icons: [{ src: 'data:image/png;base64,AA' }] },
  instructions: 'Search before you add.',
});
export const FILES = catalogOf({ tools: [tool('read')], resources: [{ uri: 'shared://x', name: 'x' }] });

export const wireScope = (
  name: string,
  patterns: { tools?: string[]; resources?: string[]; prompts?: string[] } = {},
) =>
  scopeWith(
    {
      tools: { [name]: patterns.tools ?? ['*'] },
      resources: { [name]: patterns.resources ?? ['*'] },
      prompts: { [name]: patterns.prompts ?? ['*'] },
    },
    'wire',
  );
export const TASKS_PEER = { face: { capabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } } };
export const shared = (more: Partial<RigOptions> = {}) =>
  methodsRig({ catalogs: { notes: NOTES, files: FILES }, ...more });
export const wire = (more: Partial<RigOptions> = {}) =>
  methodsRig({ catalogs: { notes: NOTES }, scope: wireScope('notes'), ...more });
export const answers =
  (result: object): Answer =>
  async () =>
    ok({ ...result });
export const answeredError =
  (code: number, data?: unknown): Answer =>
  async () =>
    err({
      code: 'upstream_error',
      stage: 'call',
      message: 'said no',
      answered: { code, ...(data !== undefined && { data }) },
    });
