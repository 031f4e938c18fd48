// The tools of the fixtures that answer by themselves, and the schemas the suites look at.
import { audio, embedded, image, text } from './surface.ts';
import type { Content } from './surface.ts';

export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: { readonly type: 'object'; readonly [keyword: string]: unknown };
}

export interface ToolResult {
  readonly content: readonly Content[];
  readonly isError?: boolean;
}

export type Arguments = Readonly<Record<string, unknown>>;

export type Change = 'tools' | 'prompts' | 'watched-resource';

/** What a tool may do besides answering; each SDK line provides it in its own way. */
export interface ToolCall {
  readonly arguments: Arguments;
  readonly progressToken: string | number | undefined;
  log(message: string): Promise<void>;
  progress(progress: number, total: number): Promise<void>;
  /** Ends the stream of this call and keeps the answer for whoever resumes it. */
  closeStream(): void;
  /** Makes the change and tells everyone who wants to know. */
  change(what: Change): void;
}

export interface PlainTool extends ToolDefinition {
  run(call: ToolCall): ToolResult | Promise<ToolResult>;
}

const STEP_MS = 50;
const pause = (ms = STEP_MS): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const said = (message: string): ToolResult => ({ content: [text(message)] });

const ANY: ToolDefinition['inputSchema'] = { type: 'object' };

const show = (name: string, description: string, content: readonly Content[]): PlainTool => ({
  name,
  description,
  inputSchema: ANY,
  run: () => ({ content }),
});

/** Every keyword that a gateway might be tempted to tidy up. */
const SCHEMA_2020_12: ToolDefinition['inputSchema'] = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

/** There and gone again, at each call of `test_trigger_tool_change`. */
export const PASSING_TOOL = show('test_passing_tool', 'Comes and goes.', [text('Still here.')]);

const CONTENT_TOOLS: readonly PlainTool[] = [
  show('test_simple_text', 'Answers with text.', [text('Plain text.')]),
  show('test_image_content', 'Answers with an image.', [image()]),
  show('test_audio_content', 'Answers with audio.', [audio()]),
  show('test_embedded_resource', 'Answers with a resource.', [embedded('test://embedded', 'An embedded resource.')]),
  show('test_multiple_content_types', 'Answers with text, an image and a resource.', [
    text('Three kinds follow one another.'),
    image(),
    embedded('test://mixed', '{"kind":"mixed"}', 'application/json'),
  ]),
  show('test_streaming_elicitation', 'Answers, and asks nothing on the way.', [text('Nothing was asked.')]),
  {
    name: 'greet',
    description: 'Greets, at once.',
    inputSchema: { type: 'object', properties: { name: { type: 'string' } } },
    run: (call) => said(`Hello, ${String(call.arguments['name'] ?? 'you')}!`),
  },
  {
    name: 'test_error_handling',
    description: 'Fails.',
    inputSchema: ANY,
    run: () => ({ ...said('This tool always fails.'), isError: true }),
  },
  {
    name: 'json_schema_2020_12_tool',
    description: 'Has a schema that uses the vocabulary of 2020-12.',
    inputSchema: SCHEMA_2020_12,
    run: (call) => said(JSON.stringify(call.arguments)),
  },
  {
    name: 'test_x_mcp_header',
    description: 'Has an argument that travels in a header too.',
    inputSchema: {
      type: 'object',
      properties: {
        region: { type: 'string', description: 'Where.', 'x-mcp-header': 'Region' },
        level: { type: 'integer', description: 'How much; in the body alone.' },
      },
    },
    run: (call) => said(`region ${String(call.arguments['region'] ?? 'unknown')}`),
  },
];

const CALLING_TOOLS: readonly PlainTool[] = [
  {
    name: 'test_tool_with_logging',
    description: 'Logs while it works.',
    inputSchema: ANY,
    run: async (call) => {
      for (const step of ['started', 'at work', 'done']) {
        await call.log(step);
        await pause();
      }
      return said('Logged three times.');
    },
  },
  {
    name: 'test_logging_tool',
    description: 'Logs once, for whoever asked for logs.',
    inputSchema: ANY,
    run: async (call) => {
      await call.log('once');
      return said('Logged once.');
    },
  },
  {
    name: 'test_tool_with_progress',
    description: 'Reports progress, where the caller gave a token.',
    inputSchema: ANY,
    run: async (call) => {
      for (const progress of [0, 50, 100]) {
        await call.progress(progress, 100);
        await pause();
      }
      return said(String(call.progressToken ?? 'no token'));
    },
  },
  {
    name: 'test_reconnection',
    description: 'Ends its stream in the middle and answers on the next.',
    inputSchema: ANY,
    run: async (call) => {
      call.closeStream();
      await pause(2 * STEP_MS);
      return said('The caller came back.');
    },
  },
];

const trigger = (name: string, what: Change): PlainTool => ({
  name,
  description: `Changes: ${what}.`,
  inputSchema: ANY,
  run: (call) => {
    call.change(what);
    return said('Changed.');
  },
});

export const PLAIN_TOOLS: readonly PlainTool[] = [
  ...CONTENT_TOOLS,
  ...CALLING_TOOLS,
  trigger('test_trigger_tool_change', 'tools'),
  trigger('test_trigger_prompt_change', 'prompts'),
  trigger('test_trigger_resource_update', 'watched-resource'),
];
