// What a request to Chat Completions asks for, of OpenAI and of those who speak its dialect.
import { at, isObject, listAt, textAt, type JsonObject } from '../../lib/json-value.ts';
import { Demand, isGiven, nameOf, objectsIn } from './demand.ts';
import { FORMAT_PROMPT_TOKENS, TOOL_PROMPT_TOKENS } from './limits.ts';
import { noteCaching, noteServiceTier } from './openai-terms.ts';

/** Of spoken input; what is spoken to be heard takes twice that, and is output. */
export const AUDIO_TOKENS_PER_SECOND = 10;
/** A UTF-16 code unit is three bytes of UTF-8 at most. */
const BYTES_PER_CODE_UNIT = 3;
/** How other vendors are asked to search, or to bring what they have found. */
const SEARCHING = ['web_search_options', 'plugins', 'search_parameters', 'compound_custom', 'documents'] as const;

export function chatDemand(body: JsonObject): Demand {
  const demand = new Demand();
  for (const message of objectsIn(body['messages'])) addMessage(demand, message);
  addTools(demand, body);
  addOutput(demand, body);
  noteServiceTier(demand, body);
  noteCaching(demand, body);
  return demand;
}

function addMessage(demand: Demand, message: JsonObject): void {
  // An answer of earlier, by name: its sound is with the provider.
  if (isObject(message['audio'])) demand.addOpenMedia();
  for (const part of objectsIn(message['content'])) addPart(demand, part);
}

function addPart(demand: Demand, part: JsonObject): void {
  switch (part['type']) {
    case 'text':
    case 'refusal':
    case 'thinking':
    case 'reasoning':
      return;
    case 'image_url':
      return demand.addImage(textAt(part, 'image_url', 'url') ?? part['image_url']);
    case 'input_audio':
      return demand.addAudio(
        at(part, 'input_audio', 'data'),
        at(part, 'input_audio', 'format'),
        AUDIO_TOKENS_PER_SECOND,
      );
    default:
      return demand.addOpenMedia();
  }
}

function addTools(demand: Demand, body: JsonObject): void {
  const tools = objectsIn(body['tools']);
  if (tools.length > 0 || listAt(body, 'functions').length > 0) demand.hiddenTokens += TOOL_PROMPT_TOKENS;
  for (const { type } of tools) {
    if (type === 'function' || type === 'custom') continue;
    demand.addProviderTool(undefined, /search|browser/.test(nameOf(type)) ? 'webSearches' : undefined);
  }
  if (SEARCHING.some((name) => isGiven(body[name]))) demand.addProviderTool(undefined, 'webSearches');
}

function addOutput(demand: Demand, body: JsonObject): void {
  const completion = demand.count(body, 'max_completion_tokens', 1);
  const older = demand.count(body, 'max_tokens', 1);
  // Which of the two counts is for the provider to say.
  if (completion !== undefined || older !== undefined) demand.maxOutput = Math.max(completion ?? 0, older ?? 0);
  demand.noteThinkingBudget(demand.count(body, 'reasoning.max_tokens', 0));
  demand.answers = Math.max(demand.count(body, 'n', 1) ?? 1, demand.count(body, 'best_of', 1) ?? 1);
  const modalities = listAt(body, 'modalities');
  demand.answersWithAudio = modalities.includes('audio');
  demand.answersWithImages = modalities.includes('image');
  if (isGiven(body['response_format'])) demand.hiddenTokens += FORMAT_PROMPT_TOKENS;
  demand.predictedTokens = BYTES_PER_CODE_UNIT * textLength(at(body, 'prediction', 'content'));
}

function textLength(content: unknown): number {
  if (typeof content === 'string') return content.length;
  return objectsIn(content).reduce((sum, part) => sum + (textAt(part, 'text')?.length ?? 0), 0);
}
