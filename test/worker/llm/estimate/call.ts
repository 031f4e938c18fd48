// Calls to be estimated, and what is known of their model.
import type { ModelPricing } from '../../../../src/llm/model-price.ts';
import { estimateNeed, type CallToEstimate, type Estimate } from '../../../../src/llm/estimate/need.ts';
import { OPERATIONS } from '../../../../src/llm/operation.ts';
import type { Failure } from '../../../../src/policy/failure.ts';

export const {
  chatCompletions: CHAT,
  responses: RESPONSES,
  embeddings: EMBEDDINGS,
  messages: MESSAGES,
  generateContent: GEMINI,
} = OPERATIONS;

/** $1 and $10 for a million tokens, so that a token of input is 1,000 nano-dollars and one of output 10,000. */
export const PRICE = { input_mtok: 1, output_mtok: 10 };
/** With the margin of 5 % the window is 105,000. */
export const PRICING: ModelPricing = { price: PRICE, contextWindow: 100_000, maxOutputTokens: 8000 };
export const BOTH = { cost: true, tokens: true };

export type Call = Partial<CallToEstimate>;

export function call(operation: CallToEstimate['operation'], body: unknown, more: Call = {}): CallToEstimate {
  const byteLength = bytesOf(body);
  return { operation, body, byteLength, provider: 'main', model: 'gpt-4.1', pricing: PRICING, bounded: BOTH, ...more };
}

export function bytesOf(body: unknown): number {
  return new TextEncoder().encode(JSON.stringify(body) ?? '').byteLength;
}

export function estimated(...of: Parameters<typeof call>): Estimate {
  const estimate = estimateNeed(call(...of));
  if (!estimate.ok) throw new Error(`refused: ${estimate.error.code}: ${estimate.error.message}`);
  return estimate.value;
}

export function refused(...of: Parameters<typeof call>): Failure {
  const estimate = estimateNeed(call(...of));
  if (estimate.ok) throw new Error(`not refused: ${JSON.stringify(estimate.value)}`);
  return estimate.error;
}

export type Operation = CallToEstimate['operation'];

/** Around any conversation; with tools; for an answer of a certain form; for a vendor's tool that the caller runs. */
export const TEMPLATE = 128;
export const TOOLS = 1024;
export const FORMAT = 512;
export const VENDOR_TOOL = 2048;
export const WINDOW = 105_000;

export const say = (content: unknown, more: object = {}) => ({
  model: 'm',
  max_tokens: 100,
  messages: [{ role: 'user', content }],
  ...more,
});
export const ask = (content: unknown, more: object = {}) => ({
  max_output_tokens: 100,
  input: [{ role: 'user', content }],
  ...more,
});
export const tell = (parts: unknown, more: object = {}) => ({
  contents: [{ role: 'user', parts }],
  generationConfig: { maxOutputTokens: 100 },
  ...more,
});
export const searching = (uses?: number) =>
  say('x', { tools: [{ type: 'web_search_20250305', name: 's', max_uses: uses }] });
export const TEXT = { type: 'text', text: 'What is this?' };
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAA'.repeat(1000);
export const DATA_URL = `data:image/png;base64,${PNG}`;
