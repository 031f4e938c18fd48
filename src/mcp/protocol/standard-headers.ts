// The headers that every request of 2026-07-28 carries, so that those who stand between need not read its body; they
// must agree with it (Streamable HTTP, "Standard Request Headers").
import { textAt } from '../../lib/json-value.ts';
import { decodeHeaderValue, trimHeaderValue } from './header-value.ts';
import type { RpcRequest } from './message.ts';

/** What `Mcp-Name` mirrors; the rows of tasks are those of the extension's binding to HTTP. */
const NAME_MEMBER: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);

/** The member of `params` that `Mcp-Name` mirrors for this method. */
export function nameMemberOf(method: string): string | undefined {
  return NAME_MEMBER.get(method);
}

/** @returns what is missing or contradicts the body, if anything */
export function standardHeaderFault(
  { method, params }: Pick<RpcRequest, 'method' | 'params'>,
  protocolVersion: string,
  headers: Pick<Headers, 'get'>,
): string | undefined {
  const version = headers.get('mcp-protocol-version');
  if (version === null) return 'the header MCP-Protocol-Version is missing';
  if (trimHeaderValue(version) !== protocolVersion) {
    return 'the header MCP-Protocol-Version differs from the version in _meta';
  }
  const named = headers.get('mcp-method');
  if (named === null) return 'the header Mcp-Method is missing';
  if (trimHeaderValue(named) !== method) return 'the header Mcp-Method differs from the method of the body';
  const member = NAME_MEMBER.get(method);
  if (member === undefined) return undefined;
  const value = textAt(params, member);
  const header = headers.get('mcp-name');
  if (header === null) return value === undefined ? undefined : 'the header Mcp-Name is missing';
  const decoded = decodeHeaderValue(header);
  if (decoded === undefined) return 'the header Mcp-Name holds what is not base64';
  // A body without the member is the method's to refuse.
  return value === undefined || decoded === value ? undefined : `the header Mcp-Name differs from params.${member}`;
}
