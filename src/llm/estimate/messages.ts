// What a request to Anthropic's Messages API asks for.
import { at, isObject, listAt, textAt, type JsonObject } from '../../lib/json-value.ts';
import { Demand, isGiven, objectsAt, type ToolFee } from './demand.ts';
import { FORMAT_PROMPT_TOKENS, TOOL_PROMPT_TOKENS, VENDOR_TOOL_TOKENS, VENDOR_TOOLSET_TOKENS } from './limits.ts';

/** Run by the caller; the vendor explains them to the model. */
const CALLERS_TOOL = /^(?:bash|text_editor|computer|memory)_\d+$/;
const CALLERS_TOOLSET = /_toolset_\d+$/;
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
  // Files in a container, which the model reads by tools alone.
  'container_upload',
]);

export function messagesDemand(body: JsonObject): Demand {
  const demand = new Demand();
  demand.noteCacheControl(body);
  addBlocks(demand, body['system']);
  for (const message of objectsAt(body, 'messages')) addBlocks(demand, message['content']);
  addTools(demand, body);
  // Nothing is generated for 0: the request fills the cache.
  demand.maxOutput = demand.count(body, 'max_tokens', 0);
  demand.noteThinkingBudget(demand.count(body, 'thinking.budget_tokens', 0));
  if (isGiven(at(body, 'output_config', 'format')) || isGiven(body['output_format']))
    demand.hiddenTokens += FORMAT_PROMPT_TOKENS;
  // The provider sums up what has become too long, and then reads on.
  if (listAt(body, 'context_management', 'edits').some((edit) => textAt(edit, 'type')?.startsWith('compact') === true))
    demand.turns++;
  noteTerms(demand, body);
  return demand;
}

function addBlocks(demand: Demand, content: unknown): void {
  for (const block of objectsAt({ content }, 'content')) addBlock(demand, block);
}

function addBlock(demand: Demand, block: JsonObject): void {
  demand.noteCacheControl(block);
  const { type } = block;
  if (TEXT_BLOCKS.has(type)) return;
  if (type === 'image') return demand.addImage(at(block, 'source', 'data'));
  if (type === 'document') return addDocument(demand, block['source']);
  // Results of tools and of searches hold blocks, one block, or an error.
  if (type === 'search_result' || String(type).endsWith('_result')) {
    const { content } = block;
    return isObject(content) ? addBlock(demand, content) : addBlocks(demand, content);
  }
  if (String(type).endsWith('_error')) return;
  demand.isOpen = true;
}

function addDocument(demand: Demand, source: unknown): void {
  const type = textAt(source, 'type');
  if (type === 'content') addBlocks(demand, at(source, 'content'));
  else if (type !== 'text') demand.isOpen = true;
}

function addTools(demand: Demand, body: JsonObject): void {
  const tools = objectsAt(body, 'tools');
  if (tools.length > 0) demand.hiddenTokens += TOOL_PROMPT_TOKENS;
  for (const [index, tool] of tools.entries()) {
    demand.noteCacheControl(tool);
    const { type } = tool;
    if (!isGiven(type) || type === 'custom') continue;
    const name = String(type);
    if (CALLERS_TOOL.test(name)) demand.hiddenTokens += VENDOR_TOOL_TOKENS;
    else if (CALLERS_TOOLSET.test(name)) demand.hiddenTokens += VENDOR_TOOLSET_TOKENS;
    else {
      if (isGiven(tool['max_uses'])) demand.count(body, `tools.${index}.max_uses`, 1);
      demand.addProviderTool(usesOf(tool), feeOf(name));
    }
  }
  for (const _server of listAt(body, 'mcp_servers')) demand.addProviderTool(undefined);
  if (listAt(body, 'container', 'skills').length > 0) demand.addProviderTool(undefined, 'codeSessions');
}

function usesOf({ max_uses: uses }: JsonObject): number | undefined {
  return typeof uses === 'number' ? uses : undefined;
}

function feeOf(type: string): ToolFee | undefined {
  if (type.startsWith('web_search')) return 'webSearches';
  return type.startsWith('code_execution') ? 'codeSessions' : undefined;
}

function noteTerms(demand: Demand, body: JsonObject): void {
  const { service_tier: tier, speed, inference_geo: geo } = body;
  if (tier === 'auto') demand.possibleTerms.push('tier:priority');
  if (isGiven(speed) && speed !== 'standard') demand.terms.push(`speed:${String(speed)}`);
  if (isGiven(geo) && geo !== 'global') demand.terms.push(`geo:${String(geo)}`);
}
