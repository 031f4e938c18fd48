// Which tools a request is given: those that its caller does not bring along already.
import { isObject, listAt, textAt } from '../../lib/json-value.ts';
import type { LlmRequestBody } from '../model-name.ts';
import type { AgentDialect } from './dialect.ts';
import { portableSchema, shortened } from './portable-schema.ts';
import type { ListedTool } from './toolbox.ts';

/**
 * A caller that is a client of `/mcp` too has these tools under names of its own, which end in ours
 * (`mcp__gateway__github__search`). One that searches its tools does not list them all, but names them somewhere.
 * @param host under which the caller reaches this gateway
 */
export function toolsToOffer(
  tools: readonly ListedTool[],
  dialect: AgentDialect,
  body: LlmRequestBody,
  host: string | null,
): readonly ListedTool[] {
  if (connectsTo(body.value, host)) return [];
  const brought = dialect.toolNames(body.value);
  const searches = searchesTools(body.value, brought);
  return tools.filter(
    ({ name }) => !brought.some((other) => isNamed(other, name)) && !(searches && body.text.includes(name)),
  );
}

/** The tool as it stands in a request. */
export function offerOf(tool: ListedTool, dialect: AgentDialect): unknown {
  const { schema, note } = portableSchema(tool.inputSchema);
  const description = [shortened(tool.description ?? ''), note ?? ''].filter((text) => text !== '').join('\n\n');
  return dialect.offer(tool, description, schema);
}

function isNamed(other: string, name: string): boolean {
  if (!other.endsWith(name)) return false;
  return other.length === name.length || /[^a-zA-Z0-9]/.test(other.charAt(other.length - name.length - 1));
}

function searchesTools(request: unknown, brought: readonly string[]): boolean {
  const types = listAt(request, 'tools').map((tool) => textAt(tool, 'type') ?? '');
  return brought.includes('ToolSearch') || types.some((type) => type.startsWith('tool_search'));
}

/** Whether the provider itself is asked to connect to this gateway, as both vendors' connectors can. */
function connectsTo(request: unknown, host: string | null): boolean {
  const connectors = [...listAt(request, 'mcp_servers'), ...listAt(request, 'tools')].filter(isObject);
  return connectors.some(({ url, server_url: serverUrl }) => {
    const address = serverUrl ?? url;
    return typeof address === 'string' && host !== null && URL.parse(address)?.host === host;
  });
}
