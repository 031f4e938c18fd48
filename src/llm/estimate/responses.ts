// What a request to the Responses API asks for.
import { at, isObject, listAt, textAt, type JsonObject } from '../../lib/json-value.ts';
import { AUDIO_TOKENS_PER_SECOND } from './chat-completions.ts';
import { Demand, isGiven, MOST_TURNS, nameOf, objectsIn, type ToolFee } from './demand.ts';
import { FORMAT_PROMPT_TOKENS, TOOL_PROMPT_TOKENS, UNSTATED_USES, VENDOR_TOOL_TOKENS } from './limits.ts';
import { noteCaching, noteServiceTier } from './openai-terms.ts';

/** What the provider has kept, by name. */
const KEPT = ['previous_response_id', 'conversation', 'prompt'] as const;
/** Run by the caller; the vendor explains them to the model. */
const CALLERS_TOOLS: ReadonlySet<unknown> = new Set([
  'local_shell',
  'apply_patch',
  'computer',
  'computer_use_preview',
  'computer-preview',
]);
const FEES: ReadonlyMap<unknown, ToolFee> = new Map([
  ['file_search', 'fileSearches'],
  ['code_interpreter', 'codeSessions'],
  ['shell', 'codeSessions'],
]);

export function responsesDemand(body: JsonObject): Demand {
  const demand = new Demand();
  for (const list of ['input', 'instructions']) for (const item of objectsIn(body[list])) addItem(demand, item);
  if (KEPT.some((name) => isGiven(body[name]))) demand.isOpen = true;
  // The provider sums up what has become too long, and then reads on.
  if (listAt(body, 'context_management').length > 0) demand.turns++;
  addTools(demand, objectsIn(body['tools']), demand.count(body, 'max_tool_calls', 0));
  demand.maxOutput = demand.count(body, 'max_output_tokens', 1);
  if (isGiven(at(body, 'text', 'format'))) demand.hiddenTokens += FORMAT_PROMPT_TOKENS;
  noteServiceTier(demand, body);
  noteCaching(demand, body);
  return demand;
}

function addItem(demand: Demand, item: JsonObject): void {
  const { type } = item;
  if (type === undefined || type === 'message') return addParts(demand, item['content']);
  if (typeof type !== 'string') return demand.addOpenMedia();
  if (type === 'additional_tools' || type === 'tool_search_output' || type === 'configuration_update')
    return addTools(demand, objectsIn(item['tools']), undefined);
  if (type.endsWith('_output')) return addOutput(demand, item['output']);
  if (type === 'image_generation_call') return demand.addImage(item['result']);
  // Calls of all kinds, thoughts and summaries are text, sealed or not. What is sealed is longer than what it seals.
  if (type.endsWith('_call') || TEXT_ITEMS.has(type)) return;
  demand.addOpenMedia();
}

const TEXT_ITEMS: ReadonlySet<string> = new Set([
  'reasoning',
  'compaction',
  'mcp_list_tools',
  'mcp_approval_request',
  'mcp_approval_response',
  'program',
  'compaction_trigger',
]);

function addOutput(demand: Demand, output: unknown): void {
  if (isObject(output)) addPart(demand, output);
  else addParts(demand, output);
}

function addParts(demand: Demand, parts: unknown): void {
  for (const part of objectsIn(parts)) addPart(demand, part);
}

function addPart(demand: Demand, part: JsonObject): void {
  switch (part['type']) {
    case 'input_text':
    case 'output_text':
    case 'text':
    case 'refusal':
    case 'summary_text':
    case 'reasoning_text':
    // Of what a shell has said.
    case undefined:
      return;
    case 'input_image':
    case 'computer_screenshot':
      return demand.addImage(textAt(part, 'image_url', 'url') ?? part['image_url']);
    case 'input_audio': {
      const audio = isObject(part['input_audio']) ? part['input_audio'] : part;
      return demand.addAudio(audio['data'], audio['format'], AUDIO_TOKENS_PER_SECOND);
    }
    default:
      return demand.addOpenMedia();
  }
}

/** @param calls of tools that the provider runs, in all */
function addTools(demand: Demand, tools: readonly JsonObject[], calls: number | undefined): void {
  if (tools.length > 0) demand.hiddenTokens += TOOL_PROMPT_TOKENS;
  const kinds = new Set<ToolFee | undefined>();
  for (const tool of tools) {
    const { type } = tool;
    if (type === 'function' || type === 'custom' || type === 'namespace') continue;
    if (CALLERS_TOOLS.has(type) || textAt(tool, 'environment', 'type') === 'local')
      demand.hiddenTokens += VENDOR_TOOL_TOKENS;
    else kinds.add(nameOf(type).startsWith('web_search') ? 'webSearches' : FEES.get(type));
  }
  if (kinds.size === 0) return;
  // The calls are bounded together: the model reads on after each, and all may be of the same kind.
  demand.addProviderTool(calls);
  for (const fee of kinds) if (fee !== undefined) demand.fees[fee] += Math.min(calls ?? UNSTATED_USES, MOST_TURNS);
}
