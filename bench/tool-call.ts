// One `tools/call` as raw HTTP, in either protocol era, against any MCP endpoint.
import type { LoadPlan } from './load-generator.ts';

export type Era = 'legacy' | 'modern';

export interface McpEndpoint {
  readonly port: number;
  readonly path: string;
  readonly tool: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const LEGACY_VERSION = '2025-11-25';
const MODERN_VERSION = '2026-07-28';
const CLIENT = { name: 'sallyport-bench', version: '1.0.0' };
const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const MESSAGE = 'call SEQUENCE of a series that says nothing of interest';

/** Opens what the era needs (a legacy session is shared by all connections) and gives back the request to repeat. */
export async function toolCallPlan(
  endpoint: McpEndpoint,
  era: Era,
): Promise<Pick<LoadPlan, 'port' | 'request' | 'expect'>> {
  const headers =
    era === 'legacy'
      ? await openSession(endpoint)
      : { 'mcp-protocol-version': MODERN_VERSION, 'mcp-method': 'tools/call', 'mcp-name': endpoint.tool };
  const params = {
    name: endpoint.tool,
    arguments: { message: MESSAGE },
    ...(era === 'legacy' ? {} : { _meta: envelope() }),
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 'SEQUENCE', method: 'tools/call', params }).replace(
    '"SEQUENCE"',
    'SEQUENCE',
  );
  return {
    port: endpoint.port,
    request: {
      method: 'POST',
      path: endpoint.path,
      headers: { ...JSON_HEADERS, ...endpoint.headers, ...headers },
      body,
    },
    expect: 'of a series that says nothing of interest',
  };
}

function envelope(): Record<string, unknown> {
  return {
    'io.modelcontextprotocol/protocolVersion': MODERN_VERSION,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': CLIENT,
  };
}

async function openSession(endpoint: McpEndpoint): Promise<Record<string, string>> {
  const post = (message: object, more: Record<string, string>): Promise<Response> =>
    fetch(`http://127.0.0.1:${endpoint.port}${endpoint.path}`, {
      method: 'POST',
      headers: { ...JSON_HEADERS, ...endpoint.headers, ...more },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
  const params = { protocolVersion: LEGACY_VERSION, capabilities: {}, clientInfo: CLIENT };
  const opened = await post({ id: 0, method: 'initialize', params }, {});
  const answer = await opened.text();
  const version = /"protocolVersion":"([^"]+)"/.exec(answer)?.[1];
  if (version === undefined) throw new Error(`initialize was answered ${opened.status}: ${answer.slice(0, 500)}`);
  const session = opened.headers.get('mcp-session-id');
  const headers = { 'mcp-protocol-version': version, ...(session === null ? {} : { 'mcp-session-id': session }) };
  await (await post({ method: 'notifications/initialized' }, headers)).text();
  return headers;
}
