// The Tasks extension of the stateless revision, as far as the suite looks at it: tools that go on after their call has
// been answered, may ask for input meanwhile, and can be cancelled.
import { randomUUID } from 'node:crypto';
import { accepted, elicit } from './asking-tools.ts';
import type { Answers, AskingTool, Questions } from './asking-tools.ts';
import { said } from './tools.ts';
import type { Arguments, ToolDefinition, ToolResult } from './tools.ts';

export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** A second of `slow_compute`, so that the suite is not. */
const SECOND_MS = 100;
const TTL_MS = 60_000;
const POLL_INTERVAL_MS = 100;

interface JobContext {
  readonly arguments: Arguments;
  readonly signal: AbortSignal;
  ask(questions: Questions): Promise<Answers>;
}

export interface TaskTool extends ToolDefinition {
  job(context: JobContext): Promise<ToolResult>;
  /** Refuses clients that know no tasks. */
  readonly alwaysTask?: true;
}

/** Asks first and becomes a task when it has its answers. */
export type AskingTaskTool = AskingTool & { readonly thenTask: true };

interface Task {
  readonly taskId: string;
  readonly createdAt: string;
  readonly ttlMs: number;
  readonly pollIntervalMs: number;
  readonly lastUpdatedAt: string;
  readonly status: 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';
  readonly inputRequests?: Questions;
  readonly result?: ToolResult;
  readonly error?: { readonly code: number; readonly message: string };
}

interface Entry {
  task: Task;
  answers: Answers;
  readonly cancel: AbortController;
  /** Called when the last open question has its answer. */
  resume: (answers: Answers) => void;
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

const ANY: ToolDefinition['inputSchema'] = { type: 'object' };
const confirmation = elicit('Really?', { confirm: { type: 'boolean' } }, ['confirm']);
const naming = elicit('Which name?', { name: { type: 'string' } }, ['name']);

export const TASK_TOOLS: readonly (TaskTool | AskingTaskTool)[] = [
  {
    name: 'slow_compute',
    description: 'Takes the seconds it is given, which are short here.',
    inputSchema: { type: 'object', properties: { seconds: { type: 'number' }, label: { type: 'string' } } },
    job: async ({ arguments: args, signal }) => {
      await pause(Number(args['seconds'] ?? 0) * SECOND_MS, signal);
      return said(`Computed ${String(args['label'] ?? 'it')}.`);
    },
  },
  {
    name: 'failing_job',
    description: 'Ends with an error of its own.',
    inputSchema: ANY,
    alwaysTask: true,
    job: async ({ signal }) => {
      await pause(SECOND_MS, signal);
      return { ...said('The job failed.'), isError: true };
    },
  },
  {
    name: 'protocol_error_job',
    description: 'Ends with an error of the protocol.',
    inputSchema: ANY,
    job: async () => {
      throw new Error('The job broke.');
    },
  },
  {
    name: 'confirm_delete',
    description: 'Asks before it goes on.',
    inputSchema: ANY,
    job: async ({ ask }) => said(`Answered with ${JSON.stringify(await ask({ confirm: confirmation }))}`),
  },
  {
    name: 'multi_input',
    description: 'Asks two things at once.',
    inputSchema: ANY,
    job: async ({ ask }) => said(JSON.stringify(await ask({ first: naming, second: confirmation }))),
  },
  {
    name: 'test_tool_with_task',
    description: 'Asks for a name, and greets later.',
    inputSchema: ANY,
    thenTask: true,
    ask: () => ({ user_name: naming }),
    finish: (answers) => {
      const name = accepted(answers['user_name'], 'name');
      return typeof name === 'string' ? said(`Hello, ${name}!`) : undefined;
    },
  },
];

export class TaskBoard {
  readonly #entries = new Map<string, Entry>();

  start(args: Arguments, job: TaskTool['job']): Task {
    const now = new Date().toISOString();
    const taskId = randomUUID();
    const base = { taskId, createdAt: now, lastUpdatedAt: now, ttlMs: TTL_MS, pollIntervalMs: POLL_INTERVAL_MS };
    const cancel = new AbortController();
    const entry: Entry = { task: { ...base, status: 'working' }, answers: {}, cancel, resume: () => undefined };
    this.#entries.set(taskId, entry);
    const ask = (inputRequests: Questions): Promise<Answers> => {
      this.#change(entry, { status: 'input_required', inputRequests });
      return new Promise((resume) => Object.assign(entry, { resume }));
    };
    // Begins when its caller has been told of it.
    const began = Promise.resolve().then(() => job({ arguments: args, signal: cancel.signal, ask }));
    began.then(
      (result) => this.#change(entry, { status: 'completed', result }),
      (error: unknown) => this.#change(entry, { status: 'failed', error: { code: -32_603, message: String(error) } }),
    );
    return entry.task;
  }

  get(taskId: string): Task | undefined {
    return this.#entries.get(taskId)?.task;
  }

  /** Answers to questions that nobody asked are left aside. */
  answer(taskId: string, answers: Answers): void {
    const entry = this.#entries.get(taskId);
    const open = entry?.task.inputRequests;
    if (entry === undefined || open === undefined) return;
    const given = Object.entries(answers).filter(([key]) => key in open);
    entry.answers = { ...entry.answers, ...Object.fromEntries(given) };
    const left = Object.entries(open).filter(([key]) => !(key in answers));
    if (left.length > 0) return this.#change(entry, { inputRequests: Object.fromEntries(left) });
    this.#change(entry, { status: 'working' });
    entry.resume(entry.answers);
  }

  cancel(taskId: string): void {
    const entry = this.#entries.get(taskId);
    if (entry === undefined) return;
    this.#change(entry, { status: 'cancelled' });
    entry.cancel.abort();
  }

  /** What has ended stays as it ended; questions are shown while they are open. */
  #change(entry: Entry, change: Partial<Task>): void {
    if (entry.task.status !== 'working' && entry.task.status !== 'input_required') return;
    const { inputRequests: _closed, ...rest } = { ...entry.task, ...change };
    const open = rest.status === 'input_required' ? { inputRequests: change.inputRequests ?? {} } : {};
    entry.task = { ...rest, ...open, lastUpdatedAt: new Date().toISOString() };
  }
}
