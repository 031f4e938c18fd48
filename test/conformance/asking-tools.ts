// The tools of the fixtures that need something of the client: each names its questions, the eras differ in how they
// are put (pushed in the middle of the call, or returned with it).
import { text } from './surface.ts';
import type { Content } from './surface.ts';
import { said } from './tools.ts';
import type { Arguments, ToolDefinition, ToolResult } from './tools.ts';

export interface Question {
  readonly method: 'elicitation/create' | 'sampling/createMessage' | 'roots/list';
  readonly params?: Readonly<Record<string, unknown>>;
}

export type Answers = Readonly<Record<string, unknown>>;

export type Questions = Readonly<Record<string, Question>>;

/** A dialogue of one or more rounds; the answers of all rounds so far are given each time. */
export interface Dialogue<Result> {
  /** Nothing to ask means that the client cannot be asked. */
  ask(args: Arguments, answers: Answers, capabilities: Readonly<Record<string, unknown>>): Questions;
  /** Undefined while an answer is missing or not of the kind that was asked for. */
  finish(answers: Answers): Result | undefined;
  /** The answers so far travel with the client, sealed, where nothing else would hold them. */
  readonly keepsState?: true;
}

export interface AskingTool extends ToolDefinition, Dialogue<ToolResult> {}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function elicit(message: string, properties: Readonly<Record<string, unknown>>, required: string[]): Question {
  return {
    method: 'elicitation/create',
    params: { message, requestedSchema: { type: 'object', properties, required } },
  };
}

function sample(prompt: string): Question {
  return {
    method: 'sampling/createMessage',
    params: { messages: [{ role: 'user', content: { type: 'text', text: prompt } }], maxTokens: 100 },
  };
}

const listRoots: Question = { method: 'roots/list' };

/** One value of a form that was accepted. */
export function accepted(answer: unknown, field: string): unknown {
  return isRecord(answer) && answer['action'] === 'accept' && isRecord(answer['content'])
    ? answer['content'][field]
    : undefined;
}

function completion(answer: unknown): string | undefined {
  const content = isRecord(answer) ? answer['content'] : undefined;
  return isRecord(content) && typeof content['text'] === 'string' ? content['text'] : undefined;
}

function roots(answer: unknown): readonly unknown[] | undefined {
  return isRecord(answer) && Array.isArray(answer['roots']) ? answer['roots'] : undefined;
}

const NOTHING: ToolDefinition['inputSchema'] = { type: 'object', properties: {} };
const takes = (name: string): ToolDefinition['inputSchema'] => ({
  type: 'object',
  properties: { [name]: { type: 'string' } },
  required: [name],
});
const askName = elicit('Who are you?', { name: { type: 'string' } }, ['name']);

/** Says whatever the form was answered with, accepted or not. */
const echoForm = (answers: Answers): ToolResult | undefined => {
  const answer = answers['form'];
  if (!isRecord(answer)) return undefined;
  return said(`action=${String(answer['action'])}, content=${JSON.stringify(answer['content'] ?? {})}`);
};

const DEFAULTS = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
};

const titled = (...names: string[]) => names.map((title, index) => ({ const: `value${index + 1}`, title }));
const CHOICES = {
  untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
  titledSingle: { type: 'string', oneOf: titled('First', 'Second', 'Third') },
  legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
  untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
  titledMulti: { type: 'array', items: { anyOf: titled('First', 'Second', 'Third') } },
};

const FORM_TOOLS: readonly AskingTool[] = [
  {
    name: 'test_elicitation',
    description: 'Asks the user for one line.',
    inputSchema: takes('message'),
    ask: (args) => ({
      form: elicit(String(args['message'] ?? 'Well?'), { response: { type: 'string' } }, ['response']),
    }),
    finish: echoForm,
  },
  {
    name: 'test_elicitation_sep1034_defaults',
    description: 'Asks with a default for every kind of field.',
    inputSchema: NOTHING,
    ask: () => ({ form: elicit('Please look over what is filled in.', DEFAULTS, []) }),
    finish: echoForm,
  },
  {
    name: 'test_elicitation_sep1330_enums',
    description: 'Asks for choices of every kind.',
    inputSchema: NOTHING,
    ask: () => ({ form: elicit('Please choose.', CHOICES, []) }),
    finish: echoForm,
  },
  {
    name: 'test_input_required_result_elicitation',
    description: 'Asks for a name and greets.',
    inputSchema: NOTHING,
    ask: () => ({ user_name: askName }),
    finish: (answers) => {
      const name = accepted(answers['user_name'], 'name');
      return typeof name === 'string' ? said(`Hello, ${name}!`) : undefined;
    },
  },
];

const samplingTool = (name: string, inputSchema: ToolDefinition['inputSchema'], key: string): AskingTool => ({
  name,
  description: 'Asks the model of the client.',
  inputSchema,
  ask: (args) => ({ [key]: sample(String(args['prompt'] ?? 'What is the capital of France?')) }),
  finish: (answers) => {
    const reply = completion(answers[key]);
    return reply === undefined ? undefined : said(`The model said: ${reply}`);
  },
});

const confirming = (name: string, confirmed: string): AskingTool => ({
  name,
  description: 'Asks for a confirmation and keeps what it needs with the client.',
  inputSchema: NOTHING,
  keepsState: true,
  ask: () => ({ confirm: elicit('Go on?', { ok: { type: 'boolean' } }, ['ok']) }),
  finish: (answers) => (typeof accepted(answers['confirm'], 'ok') === 'boolean' ? said(confirmed) : undefined),
});

const STATE_TOOLS: readonly AskingTool[] = [
  confirming('test_input_required_result_request_state', 'state-ok'),
  confirming('test_input_required_result_tampered_state', 'The state came back as it left.'),
  {
    name: 'test_input_required_result_multi_round',
    description: 'Asks for a name, then for a color.',
    inputSchema: NOTHING,
    keepsState: true,
    ask: (_args, answers) =>
      typeof accepted(answers['step1'], 'name') === 'string'
        ? { step2: elicit('Which color?', { color: { type: 'string' } }, ['color']) }
        : { step1: askName },
    finish: (answers) => {
      const color = accepted(answers['step2'], 'color');
      return typeof color === 'string' ? said(`${String(accepted(answers['step1'], 'name'))}: ${color}`) : undefined;
    },
  },
];

export const ASKING_TOOLS: readonly AskingTool[] = [
  ...FORM_TOOLS,
  samplingTool('test_sampling', takes('prompt'), 'reply'),
  samplingTool('test_missing_capability', NOTHING, 'reply'),
  samplingTool('test_input_required_result_sampling', NOTHING, 'capital_question'),
  {
    name: 'test_input_required_result_list_roots',
    description: 'Asks for the roots of the client.',
    inputSchema: NOTHING,
    ask: () => ({ client_roots: listRoots }),
    finish: (answers) => {
      const found = roots(answers['client_roots']);
      return found === undefined ? undefined : said(`Roots: ${JSON.stringify(found)}`);
    },
  },
  {
    name: 'test_input_required_result_multiple_inputs',
    description: 'Asks for a name, a greeting and the roots at once.',
    inputSchema: NOTHING,
    keepsState: true,
    ask: () => ({ user_name: askName, greeting: sample('Greet someone.'), client_roots: listRoots }),
    finish: (answers) => {
      const name = accepted(answers['user_name'], 'name');
      const greeting = completion(answers['greeting']);
      const found = roots(answers['client_roots']);
      if (typeof name !== 'string' || greeting === undefined || found === undefined) return undefined;
      return said(`${greeting} ${name}, ${found.length} roots`);
    },
  },
  ...STATE_TOOLS,
  {
    name: 'test_input_required_result_capabilities',
    description: 'Asks only what the client said that it can answer.',
    inputSchema: NOTHING,
    ask: (_args, _answers, capabilities) =>
      Object.fromEntries(
        Object.entries({ elicitation: askName, sampling: sample('Greet someone.'), roots: listRoots }).filter(
          ([capability]) => capabilities[capability] !== undefined,
        ),
      ),
    finish: (answers) => (Object.keys(answers).length > 0 ? said('Answered.') : undefined),
  },
];

export const ASKING_PROMPT: Dialogue<Content[]> = {
  ask: () => ({ user_context: elicit('In which context?', { context: { type: 'string' } }, ['context']) }),
  finish: (answers) => {
    const context = accepted(answers['user_context'], 'context');
    return typeof context === 'string' ? [text(`The context is ${context}.`)] : undefined;
  },
};
