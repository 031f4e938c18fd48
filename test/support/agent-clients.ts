// The vendors' own SDKs, asked the same thing in each dialect.
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import type { AgentWireDialect } from './agent-wire.ts';

export interface AgentAsk {
  readonly url: string;
  readonly key: string;
  readonly model: string;
  readonly stream: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Names of tools of the caller's own. */
  readonly ownTools?: readonly string[];
  readonly signal?: AbortSignal;
}

/** An answer, as far as the dialects have it in common. */
export interface AgentAnswer {
  readonly words: string;
  /** Calls left for the caller, as the dialect has them. */
  readonly asked: readonly { readonly id: string; readonly name: string; readonly whole: object }[];
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Whole, as the SDK gives it. */
  readonly raw: unknown;
}

const QUESTION = 'What is it?';
const SCHEMA = { type: 'object' as const, properties: {} };

export const AGENT_CLIENTS: Readonly<Record<AgentWireDialect, (ask: AgentAsk) => Promise<AgentAnswer>>> = {
  chat: askChat,
  responses: askResponses,
  messages: askMessages,
};

function openai({ url, key, headers }: AgentAsk): OpenAI {
  return new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: key, maxRetries: 0, defaultHeaders: headers ?? {} });
}

async function askChat(ask: AgentAsk): Promise<AgentAnswer> {
  const request = {
    model: ask.model,
    messages: [{ role: 'user' as const, content: QUESTION }],
    ...(ask.ownTools !== undefined && {
      tools: ask.ownTools.map((name) => ({ type: 'function' as const, function: { name, parameters: SCHEMA } })),
    }),
  };
  const options = { signal: ask.signal };
  const { completions } = openai(ask).chat;
  const answer = ask.stream
    ? await completions
        .stream({ ...request, stream: true, stream_options: { include_usage: true } }, options)
        .finalChatCompletion()
    : await completions.create(request, options);
  const message = answer.choices[0]?.message;
  return {
    words: message?.content ?? '',
    asked: (message?.tool_calls ?? []).map((call) => ({
      id: call.id,
      name: call.type === 'function' ? call.function.name : '',
      whole: { id: call.id, type: call.type, ...(call.type === 'function' && { function: call.function }) },
    })),
    inputTokens: answer.usage?.prompt_tokens ?? 0,
    outputTokens: answer.usage?.completion_tokens ?? 0,
    raw: answer,
  };
}

async function askResponses(ask: AgentAsk): Promise<AgentAnswer> {
  const request = {
    model: ask.model,
    input: QUESTION,
    ...(ask.ownTools !== undefined && {
      tools: ask.ownTools.map((name) => ({ type: 'function' as const, name, parameters: SCHEMA, strict: false })),
    }),
  };
  const { responses } = openai(ask);
  const options = { signal: ask.signal };
  const answer = ask.stream
    ? await responses.stream(request, options).finalResponse()
    : await responses.create(request, options);
  return {
    words: answer.output
      .flatMap((item) => (item.type === 'message' ? item.content : []))
      .map((part) => ('text' in part ? part.text : ''))
      .join('\n\n'),
    asked: answer.output.flatMap((item) =>
      item.type === 'function_call' ? [{ id: item.call_id, name: item.name, whole: item }] : [],
    ),
    inputTokens: answer.usage?.input_tokens ?? 0,
    outputTokens: answer.usage?.output_tokens ?? 0,
    raw: answer,
  };
}

async function askMessages(ask: AgentAsk): Promise<AgentAnswer> {
  const client = new Anthropic({
    baseURL: `${ask.url}/anthropic`,
    apiKey: ask.key,
    maxRetries: 0,
    defaultHeaders: ask.headers ?? {},
  });
  const request = {
    model: ask.model,
    max_tokens: 100,
    messages: [{ role: 'user' as const, content: QUESTION }],
    ...(ask.ownTools !== undefined && { tools: ask.ownTools.map((name) => ({ name, input_schema: SCHEMA })) }),
  };
  const options = { signal: ask.signal };
  const answer = ask.stream
    ? await client.messages.stream(request, options).finalMessage()
    : await client.messages.create(request, options);
  return {
    words: answer.content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n\n'),
    asked: answer.content.flatMap((block) =>
      block.type === 'tool_use' ? [{ id: block.id, name: block.name, whole: block }] : [],
    ),
    inputTokens: answer.usage.input_tokens + (answer.usage.cache_read_input_tokens ?? 0),
    outputTokens: answer.usage.output_tokens,
    raw: answer,
  };
}
