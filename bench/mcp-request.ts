// One `tools/call` or `tools/list` as raw HTTP, in either protocol era, against any MCP endpoint.
import type { LoadPlan } from './load-generator.ts';

export type Era = 'legacy' | 'modern';

export interface McpEndpoint {
  readonly port: number;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const LEGACY_VERSION = '2025-11-25';
const MODERN_VERSION = '2026-07-28';
const CLIENT = { name: 'sallyport-bench', version: '1.0.0' };
const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const MESSAGE = 'call SEQUENCE of a series that says nothing of interest';

type Plan = Pick<LoadPlan, 'port' | 'request' | 'expect'>;

/** Opens what the era needs (a legacy session is shared by all connections) and gives back the request to repeat. */
export function toolCallPlan(endpoint: McpEndpoint, tool: string, era: Era): Promise<Plan> {
  const params = { name: tool, arguments: { message: MESSAGE } };
  return plan(endpoint, era, { method: 'tools/call', params, name: tool }, 'of a series that says nothing of interest');
}

/** @param expect stands in the answer, such as the name of the last tool */
export function toolListPlan(endpoint: McpEndpoint, expect: string, era: Era): Promise<Plan> {
  return plan(endpoint, era, { method: 'tools/list', params: {} }, expect);
}

interface Request {
  readonly method: string;
  readonly params: object;
  /** Of what is called, as 2026-07-28 repeats it in a header. */
  readonly name?: string;
}

async function plan(endpoint: McpEndpoint, era: Era, request: Request, expect: string): Promise<Plan> {
  const { method, name } = request;
  const headers =
    era === 'legacy'
      ? await openSession(endpoint)
      : {
          'mcp-protocol-version': MODERN_VERSION,
          'mcp-method': method,
          ...(name === undefined ? {} : { 'mcp-name': name }),
        };
  const params = { ...request.params, ...(era === 'legacy' ? {} : { _meta: envelope() }) };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 'SEQUENCE', method, params }).replace('"SEQUENCE"', 'SEQUENCE');
  const { port, path } = endpoint;
  return {
    port,
    request: { method: 'POST', path, headers: { ...JSON_HEADERS, ...endpoint.headers, ...headers }, body },
    expect,
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
