// Tools of MCP Apps name the resource that shows them (`io.modelcontextprotocol/ui`).
import type { Tool } from '@modelcontextprotocol/server';
import { isObject, textAt } from '../lib/json-value.ts';
import type { ResourceMap } from './resource-map.ts';
import { parseQualifiedName } from './tool-name.ts';

/** Where earlier versions of the extension had it. */
const FLAT_KEY = 'ui/resourceUri';

export function hasApp({ _meta: meta }: Tool): boolean {
  return textAt(meta, 'ui', 'resourceUri') !== undefined || textAt(meta, FLAT_KEY) !== undefined;
}

/** @param tool under its qualified name */
export function withShownApp(tool: Tool, resources: ResourceMap): Tool {
  const { _meta: meta, name } = tool;
  const nested = textAt(meta, 'ui', 'resourceUri');
  const flat = textAt(meta, FLAT_KEY);
  const upstream = parseQualifiedName(name)?.upstream;
  if (!hasApp(tool) || upstream === undefined) return tool;
  const ui: unknown = meta?.['ui'];
  return {
    ...tool,
    _meta: {
      ...meta,
      ...(flat !== undefined && { [FLAT_KEY]: resources.show(upstream, flat) }),
      ...(nested !== undefined && isObject(ui) && { ui: { ...ui, resourceUri: resources.show(upstream, nested) } }),
    },
  };
}
