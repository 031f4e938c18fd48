// What a request to Anthropic's Messages API asks for.
import { at, isObject, listAt, textAt, type JsonObject } from '../../lib/json-value.ts';
import { Demand, isGiven, nameOf, objectsIn, type ToolFee } from './demand.ts';
import { FORMAT_PROMPT_TOKENS, TOOL_PROMPT_TOKENS, VENDOR_TOOL_TOKENS, VENDOR_TOOLSET_TOKENS } from './limits.ts';

/** Run by the caller; the vendor explains them to the model. */
const CALLERS_TOOL = /^(?:bash|text_editor|computer|memory)_\d+$/;
const CALLERS_TOOLSET = /_toolset_\d+$/;
/** A block in a document in the result of a tool in a result. No vendor has them deeper. */
const MOST_NESTED = 6;
const TEXT_BLOCKS: ReadonlySet<unknown> = new Set([
  'text',
  'thinking',
  'redacted_thinking',
  'tool_use',
  'server_tool_use',
  'mcp_tool_use',
  'tool_reference',
  'compaction',
  'web_search_result',
  'tool_addition',
  'tool_removal',
  'mcp_tool_listing',
  'fallback',
  // Files in a container, which the model reads by tools alone.
  'container_upload',
]);

export function messagesDemand(body: JsonObject): Demand {
  const demand = new Demand();
  demand.noteCacheControl(body);
  addBlocks(demand, body['system']);
  for (const message of objectsIn(body['messages'])) addBlocks(demand, message['content']);
  addTools(demand, body);
  // Nothing is generated for 0: the request fills the cache.
  demand.maxOutput = demand.count(body, 'max_tokens', 0);
  demand.noteThinkingBudget(demand.count(body, 'thinking.budget_tokens', 0));
  if (isGiven(at(body, 'output_config', 'format')) || isGiven(body['output_format']))
    demand.hiddenTokens += FORMAT_PROMPT_TOKENS;
  if (READ_TWICE.some((name) => isGiven(body[name])) || compacts(body)) demand.turns++;
  // What was said before is with the provider.
  if (isGiven(body['thread']) && textAt(body, 'thread', 'type') !== 'create') demand.isOpen = true;
  noteTerms(demand, body);
  return demand;
}

/** Summed up when it has become too long, or read by another model when the first declines. */
const READ_TWICE = ['compaction', 'fallbacks'] as const;

function compacts(body: JsonObject): boolean {
  return listAt(body, 'context_management', 'edits').some(
    (edit) => textAt(edit, 'type')?.startsWith('compact') === true,
  );
}

function addBlocks(demand: Demand, content: unknown, depth = 0): void {
  for (const block of objectsIn(content)) addBlock(demand, block, depth);
}

function addBlock(demand: Demand, block: JsonObject, depth: number): void {
  demand.noteCacheControl(block);
  const { type } = block;
  if (TEXT_BLOCKS.has(type)) return;
  if (type === 'image') return demand.addImage(at(block, 'source', 'data'));
  const inner = contentOf(block);
  if (inner === undefined || depth > MOST_NESTED) demand.isOpen = true;
  else if (isObject(inner)) addBlock(demand, inner, depth + 1);
  else addBlocks(demand, inner, depth + 1);
}

/** What a block holds that is no text by itself: a block, a list of them, or text; undefined where that is not known. */
function contentOf(block: JsonObject): unknown {
  const type = nameOf(block['type']);
  if (type.endsWith('_error') || type.endsWith('_output')) return null;
  if (type === 'search_result' || type.endsWith('_result')) return block['content'] ?? null;
  if (type !== 'document') return undefined;
  const source = textAt(block, 'source', 'type');
  if (source === 'text') return null;
  return source === 'content' ? at(block, 'source', 'content') : undefined;
}

function addTools(demand: Demand, body: JsonObject): void {
  const tools = objectsIn(body['tools']);
  if (tools.length > 0) demand.hiddenTokens += TOOL_PROMPT_TOKENS;
  for (const [index, tool] of tools.entries()) {
    demand.noteCacheControl(tool);
    const { type } = tool;
    if (!isGiven(type) || type === 'custom') continue;
    const name = nameOf(type);
    if (CALLERS_TOOL.test(name)) demand.hiddenTokens += VENDOR_TOOL_TOKENS;
    else if (CALLERS_TOOLSET.test(name)) demand.hiddenTokens += VENDOR_TOOLSET_TOKENS;
    else demand.addProviderTool(demand.count(tool, 'max_uses', 1, `tools[${index}].`), feeOf(name));
  }
  for (const _server of listAt(body, 'mcp_servers')) demand.addProviderTool(undefined);
  if (listAt(body, 'container', 'skills').length > 0) demand.addProviderTool(undefined, 'codeSessions');
}

function feeOf(type: string): ToolFee | undefined {
  if (type.startsWith('web_search')) return 'webSearches';
  return type.startsWith('code_execution') ? 'codeSessions' : undefined;
}

function noteTerms(demand: Demand, body: JsonObject): void {
  const { service_tier: tier, speed, inference_geo: geo } = body;
  if (tier === 'auto') demand.possibleTerms.push('tier:priority');
  if (isGiven(speed) && speed !== 'standard') demand.terms.push(`speed:${nameOf(speed)}`);
  if (isGiven(geo) && geo !== 'global') demand.terms.push(`geo:${nameOf(geo)}`);
}
