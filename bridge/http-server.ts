// The bridge's HTTP face: who may speak to it, and which path means what.
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isServerName, parseDefinition } from './definition.ts';
import type { Log } from './log.ts';
import { serveMcp } from './mcp-endpoint.ts';
import type { Registry } from './registry.ts';
import { sendJson } from './reply.ts';
import { readBody } from './request-body.ts';

/** Idle connections of the gateway stay open; a server that hangs up first makes the next request fail. */
const KEEP_ALIVE_TIMEOUT_MS = 10 * 60_000;
const LOCAL_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|bridge)(?::\d{1,5})?$/i;
const SERVER_PATH = /^\/servers\/([^/]+)(\/mcp)?$/;

export function createBridgeServer(registry: Registry, secret: string, log: Log): Server {
  const isAuthorized = bearerCheck(secret);
  return createServer({ keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS }, (request, response) => {
    // A client that left in the middle of its answer is noticed by `close`.
    response.on('error', () => {});
    // A page in a browser that resolves its own name to loopback still sends that name (DNS rebinding).
    if (!LOCAL_HOST.test(request.headers.host ?? '')) {
      refuse(response, 403, 'forbidden_host', 'the bridge answers to loopback names and `bridge` only');
    } else if (!isAuthorized(request)) {
      refuse(response, 401, 'unauthorized', 'the bridge secret is missing or wrong');
    } else {
      answer(registry, request, response).catch((error: unknown) => {
        const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
        if (!request.destroyed) log('error', 'bridge.request.failed', { path: request.url, reason });
        if (response.headersSent) response.destroy();
        else refuse(response, 500, 'internal_error', 'the bridge failed to serve this request; see its log');
      });
    }
  });
}

function bearerCheck(secret: string): (request: IncomingMessage) => boolean {
  const expected = digest(`Bearer ${secret}`);
  return ({ headers }) => timingSafeEqual(digest(headers.authorization ?? ''), expected);
}

/** Digests are of equal length, whatever was sent. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

async function answer(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '').split('?')[0] ?? '';
  if (path === '/healthz' && request.method === 'GET') {
    return sendJson(response, 200, { status: 'ok', children: registry.children });
  }
  if (path === '/servers' && request.method === 'GET') return sendJson(response, 200, { items: registry.states() });
  const [, name, mcp] = SERVER_PATH.exec(path) ?? [];
  if (name === undefined || !isServerName(name)) return refuse(response, 404, 'not_found', 'no such path');
  if (mcp !== undefined) return relay(registry, name, request, response);
  if (request.method === 'PUT') return define(registry, name, request, response);
  if (request.method !== 'DELETE') return refuse(response, 405, 'method_not_allowed', 'use PUT or DELETE');
  if (await registry.remove(name)) response.writeHead(204).end();
  else refuse(response, 404, 'not_found', `there is no server named ${name}`);
}

async function define(
  registry: Registry,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  if (!body.ok) return refuse(response, body.status, 'invalid_definition', body.message);
  const parsed = parseDefinition(name, body.value);
  if (!parsed.ok) return refuse(response, 400, 'invalid_definition', parsed.problem);
  registry.define(parsed.value);
  response.writeHead(204).end();
}

async function relay(
  registry: Registry,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const server = registry.find(name);
  if (server === undefined || server.definition.fingerprint !== request.headers['x-sallyport-fingerprint']) {
    return refuse(
      response,
      428,
      'definition_needed',
      `PUT /servers/${name} with this fingerprint, then repeat the request`,
    );
  }
  return serveMcp(server, request, response);
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  sendJson(response, status, { code, message });
}
