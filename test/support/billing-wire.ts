// How the two dialects write an answer of so many LLM tokens, one word a token.

/** In place of the truth: nothing at all, or these numbers of input and output tokens, whatever they are. */
export type UsageTold = 'none' | { readonly input: unknown; readonly output: unknown };

export interface WireAnswer {
  readonly id: string;
  readonly model: string;
  readonly tokens: number;
  readonly usage: UsageTold | undefined;
}

export interface BillingWire {
  /** Whether a stream tells its usage unasked. */
  readonly alwaysTellsUsage: boolean;
  whole(answer: WireAnswer): unknown;
  streamHead(answer: WireAnswer): string;
  streamToken(answer: WireAnswer, index: number): string;
  streamTail(answer: WireAnswer, tellsUsage: boolean): string;
}

const INPUT_TOKENS = 7;
const WORD = 'word ';

export function billingWire(path: string): BillingWire {
  return path.endsWith('/messages') ? MESSAGES : CHAT;
}

/** Undefined where it tells nothing. */
function told({ usage, tokens }: WireAnswer): { input: unknown; output: unknown } | undefined {
  if (usage === 'none') return undefined;
  return usage ?? { input: INPUT_TOKENS, output: tokens };
}

function chatUsage(answer: WireAnswer): object {
  const usage = told(answer);
  if (usage === undefined) return {};
  const { input, output } = usage;
  return {
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: Number(input) + Number(output) },
  };
}

function chunk({ id, model }: WireAnswer, more: object): string {
  return `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created: 1_790_000_000, model, ...more })}\n\n`;
}

const CHAT: BillingWire = {
  alwaysTellsUsage: false,
  whole: (answer) => ({
    id: answer.id,
    object: 'chat.completion',
    created: 1_790_000_000,
    model: answer.model,
    choices: [{ index: 0, message: { role: 'assistant', content: WORD.repeat(answer.tokens) }, finish_reason: 'stop' }],
    ...chatUsage(answer),
  }),
  streamHead: (answer) =>
    chunk(answer, { choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] }),
  streamToken: (answer) => chunk(answer, { choices: [{ index: 0, delta: { content: WORD }, finish_reason: null }] }),
  streamTail: (answer, tellsUsage) =>
    chunk(answer, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) +
    (tellsUsage ? chunk(answer, { choices: [], ...chatUsage(answer) }) : '') +
    'data: [DONE]\n\n',
};

function event(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}

function message({ id, model }: WireAnswer, more: object): object {
  return { id, type: 'message', role: 'assistant', model, stop_sequence: null, ...more };
}

const MESSAGES: BillingWire = {
  alwaysTellsUsage: true,
  whole(answer) {
    const usage = told(answer);
    return message(answer, {
      content: [{ type: 'text', text: WORD.repeat(answer.tokens) }],
      stop_reason: 'end_turn',
      ...(usage !== undefined && { usage: { input_tokens: usage.input, output_tokens: usage.output } }),
    });
  },
  streamHead(answer) {
    const usage = told(answer);
    const begun = message(answer, {
      content: [],
      stop_reason: null,
      ...(usage !== undefined && { usage: { input_tokens: usage.input, output_tokens: 1 } }),
    });
    const block = { index: 0, content_block: { type: 'text', text: '' } };
    return event('message_start', { message: begun }) + event('content_block_start', block);
  },
  streamToken: () => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: WORD } }),
  streamTail(answer) {
    const usage = told(answer);
    const end = {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      ...(usage !== undefined && { usage: { output_tokens: usage.output } }),
    };
    return event('content_block_stop', { index: 0 }) + event('message_delta', end) + event('message_stop', {});
  },
};
