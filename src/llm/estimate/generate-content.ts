// What a request to Gemini's generateContent asks for. Its JSON may be spelt in camel case or with underscores.
import { at, isObject, listAt, textAt, type JsonObject } from '../../lib/json-value.ts';
import { Demand, isGiven, nameOf, objectsIn } from './demand.ts';
import { FORMAT_PROMPT_TOKENS, TOOL_PROMPT_TOKENS, VENDOR_TOOL_TOKENS } from './limits.ts';

const AUDIO_TOKENS_PER_SECOND = 32;
/** Parts within the answer of a function. No vendor has them deeper. */
const MOST_NESTED = 4;
const DRAWS = /image|omni/;
const TEXT_PARTS = [
  'text',
  'functionCall',
  'function_call',
  'executableCode',
  'executable_code',
  'codeExecutionResult',
  'code_execution_result',
  'thoughtSignature',
  'thought_signature',
] as const;
const SEARCHES: ReadonlySet<string> = new Set([
  'googleSearch',
  'google_search',
  'googleSearchRetrieval',
  'google_search_retrieval',
  'googleMaps',
  'google_maps',
  'enterpriseWebSearch',
  'enterprise_web_search',
]);

export function generateContentDemand(body: JsonObject, model: string): Demand {
  const demand = new Demand();
  // Models that draw do so unasked.
  demand.answersWithImages = DRAWS.test(model);
  for (const name of ['contents', 'systemInstruction', 'system_instruction']) addContents(demand, body[name]);
  if (isGiven(body['cachedContent']) || isGiven(body['cached_content'])) demand.addOpenMedia();
  addTools(demand, body);
  for (const name of ['generationConfig', 'generation_config']) if (isObject(body[name])) addConfig(demand, body, name);
  for (const name of ['serviceTier', 'service_tier']) noteServiceTier(demand, body[name]);
  return demand;
}

/** Of embedContent, and of batchEmbedContents, which has several of those. */
export function embedContentDemand(body: JsonObject): Demand {
  const demand = new Demand();
  demand.isInputOnly = true;
  for (const request of [body, ...objectsIn(body['requests'])]) addContents(demand, request['content']);
  return demand;
}

/** A list, or the only one. */
function addContents(demand: Demand, contents: unknown): void {
  for (const content of objectsIn(isObject(contents) ? [contents] : contents))
    for (const part of objectsIn(content['parts'])) addPart(demand, part, 0);
}

function addPart(demand: Demand, part: JsonObject, depth: number): void {
  const inline = part['inlineData'] ?? part['inline_data'];
  const answer = part['functionResponse'] ?? part['function_response'];
  if (depth > MOST_NESTED) demand.addOpenMedia();
  else if (isObject(inline)) addInline(demand, inline);
  else if (isObject(answer)) for (const inner of objectsIn(answer['parts'])) addPart(demand, inner, depth + 1);
  else if (isGiven(part['fileData']) || isGiven(part['file_data']) || !TEXT_PARTS.some((name) => isGiven(part[name])))
    demand.addOpenMedia();
}

function addInline(demand: Demand, inline: JsonObject): void {
  const type = textAt(inline, 'mimeType') ?? textAt(inline, 'mime_type') ?? '';
  const { data } = inline;
  if (type.startsWith('image/')) demand.addImage(data);
  else if (type.startsWith('audio/')) demand.addAudio(data, type, AUDIO_TOKENS_PER_SECOND);
  // In base64, text is longer than it is.
  else if (!type.startsWith('text/')) demand.addOpenMedia();
}

function addTools(demand: Demand, body: JsonObject): void {
  const tools = objectsIn(body['tools']);
  if (tools.length > 0) demand.hiddenTokens += TOOL_PROMPT_TOKENS;
  for (const tool of tools)
    for (const name of Object.keys(tool)) {
      if (name === 'functionDeclarations' || name === 'function_declarations') continue;
      if (name === 'computerUse' || name === 'computer_use') demand.hiddenTokens += VENDOR_TOOL_TOKENS;
      else demand.addProviderTool(undefined, SEARCHES.has(name) ? 'webSearches' : undefined);
    }
}

function addConfig(demand: Demand, body: JsonObject, name: string): void {
  const count = (camel: string, snake: string, least: number): number | undefined =>
    demand.count(body, `${name}.${camel}`, least) ?? demand.count(body, `${name}.${snake}`, least);
  demand.maxOutput = count('maxOutputTokens', 'max_output_tokens', 1) ?? demand.maxOutput;
  demand.answers = Math.max(demand.answers, count('candidateCount', 'candidate_count', 1) ?? 1);
  for (const member of ['thinkingConfig', 'thinking_config'])
    // A budget of -1 leaves it to the model.
    demand.noteThinkingBudget(count(`${member}.thinkingBudget`, `${member}.thinking_budget`, -1));
  const config = body[name];
  const modalities = [...listAt(config, 'responseModalities'), ...listAt(config, 'response_modalities')];
  if (modalities.length > 0) {
    const asked = new Set(modalities.map((modality) => nameOf(modality).toUpperCase()));
    demand.answersWithAudio = asked.has('AUDIO');
    demand.answersWithImages = asked.has('IMAGE') || asked.has('VIDEO');
  }
  if (isGiven(at(config, 'responseSchema')) || isGiven(at(config, 'responseJsonSchema')))
    demand.hiddenTokens += FORMAT_PROMPT_TOKENS;
}

function noteServiceTier(demand: Demand, tier: unknown): void {
  if (nameOf(tier).toLowerCase() === 'priority') demand.terms.push('tier:priority');
}
