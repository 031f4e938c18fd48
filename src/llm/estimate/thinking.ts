// Whether a model may generate tokens that its answer does not show: where it does, what was seen of an answer that was
// cut short does not tell what is charged for it.
import { at, textAt, type JsonObject } from '../../lib/json-value.ts';
import type { LlmDialect } from '../operation.ts';

/** Of OpenAI's dialect, those that do not think, or show all that they think. Of any other that is not certain. */
const SHOWS_ALL =
  /gpt-3|gpt-4|gpt-oss|llama|mistral|mixtral|ministral|magistral|codestral|pixtral|deepseek|qwen|kimi|glm|gemma|phi-|command|embed/;
/** Claude before it thought unless told not to. */
const THINKS_WHEN_ASKED = /claude-(?:[23]|v1|instant|(?:opus|sonnet|haiku)-4)/;

export function hidesThinking(dialect: LlmDialect, model: string, body: JsonObject): boolean {
  const name = model.toLowerCase();
  switch (dialect) {
    case 'anthropic': {
      const type = textAt(body, 'thinking', 'type');
      return type === undefined ? !THINKS_WHEN_ASKED.test(name) : type !== 'disabled';
    }
    case 'gemini': {
      if (/gemini-(?:1|2\.0)/.test(name)) return false;
      return (
        at(body, 'generationConfig', 'thinkingConfig', 'thinkingBudget') !== 0 &&
        at(body, 'generation_config', 'thinking_config', 'thinking_budget') !== 0
      );
    }
    case 'openai': {
      if ((textAt(body, 'reasoning_effort') ?? textAt(body, 'reasoning', 'effort')) === 'none') return false;
      const isWithheld = body['reasoning_format'] === 'hidden' || at(body, 'reasoning', 'exclude') === true;
      return isWithheld || !SHOWS_ALL.test(name);
    }
  }
}
