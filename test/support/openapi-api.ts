// A bookshop with an HTTP API and its description, and with every way in which either can go wrong.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bookshopJson, bookshopSwagger, bookshopYaml } from './openapi-descriptions.ts';
import { listen, readText, sendJson, type Fixture } from './fixture-http.ts';

export const BOOKSHOP_TOKEN = 'bookshop-token-5f1c';

/** One request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query, as on the wire. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const BOOK = { id: 7, isbn: '978-3', title: 'Grüße', price: 9.5, sequel: { id: 8, isbn: '978-4', title: null } };
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const HUGE_BYTES = 5 * 1024 * 1024;

export async function startBookshop(): Promise<Fixture> {
  const state = { seen: [] as SeenRequest[], notModified: 0, flaky: 'well' };
  const fixture = await listen((request, response) => {
    void serve(request, response, state, fixture.url).catch(() => response.destroy());
  });
  return fixture;
}

interface State {
  readonly seen: SeenRequest[];
  notModified: number;
  /** What is served as `/spec/flaky.json`: `well`, `gone` or `html`. */
  flaky: string;
}

async function serve(request: IncomingMessage, response: ServerResponse, state: State, base: string): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', base);
  if (pathname === '/control/seen') return sendJson(response, { seen: state.seen, notModified: state.notModified });
  if (pathname === '/control/flaky') {
    state.flaky = searchParams.get('is') ?? 'well';
    return sendJson(response, {});
  }
  const { method = '', url = '', headers } = request;
  const seen: SeenRequest = { method, url, headers, body: await readText(request) };
  state.seen.push(seen);
  if (pathname.startsWith('/spec/')) return serveSpec(pathname.slice('/spec/'.length), request, response, state, base);
  return serveApi(pathname.replace(/^\/v1/, ''), seen, response);
}

function serveSpec(name: string, request: IncomingMessage, response: ServerResponse, state: State, base: string): void {
  switch (name) {
    case 'books.yaml': {
      if (request.headers['if-none-match'] === '"one"') {
        state.notModified += 1;
        return void response.writeHead(304).end();
      }
      return void response.writeHead(200, { 'content-type': 'text/yaml', etag: '"one"' }).end(bookshopYaml(base));
    }
    case 'books.json':
      return sendJson(response, bookshopJson(base));
    case 'swagger.json':
      return sendJson(response, bookshopSwagger(base));
    case 'relative.json':
      return sendJson(response, { ...bookshopJson(base), servers: [{ url: '/v1' }] });
    case 'foreign.json':
      return sendJson(response, bookshopJson('http://127.0.0.2:9'));
    case 'flaky.json':
      if (state.flaky === 'gone') return sendJson(response, {}, 503);
      if (state.flaky === 'html') return void response.end('<!doctype html><title>Login</title>');
      return sendJson(response, bookshopJson(base));
    case 'html':
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Login</title>');
    case 'huge.json':
      return void response.end(`{"openapi":"3.1.0","paths":{},"x":"${'a'.repeat(HUGE_BYTES)}"}`);
    case 'moved':
      return void response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end();
    default:
      return sendJson(response, { error: 'no such description' }, 404);
  }
}

function serveApi(path: string, seen: SeenRequest, response: ServerResponse): void {
  const { method, headers } = seen;
  const route = `${method} ${path.replace(/^\/books\/[^/]+/, '/books/*')}`;
  switch (route) {
    case 'GET /books/*':
      if (path.includes('missing'))
        return sendJson(response, { detail: `no such book, ${headers.authorization}` }, 404);
      return sendJson(response, BOOK);
    case 'POST /books':
      return sendJson(response, { ...BOOK, ...(JSON.parse(seen.body) as object) }, 201);
    case 'DELETE /books/*':
    case 'PUT /books/*':
      return void response.writeHead(204).end();
    case 'HEAD /books/*':
      return void response.writeHead(200, { 'content-length': '5', etag: '"b"' }).end();
    case 'GET /books/*/cover':
      return void response.writeHead(200, { 'content-type': 'image/png' }).end(PNG);
    case 'GET /books/*/reading':
      return void response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(Buffer.from([0xff, 0xfb, 0x90]));
    case 'GET /books/*/file':
      return void response.writeHead(200, { 'content-type': 'application/pdf' }).end(Buffer.from('%PDF-1.7'));
    case 'GET /books/*/summary':
      return void response
        .writeHead(200, { 'content-type': 'text/plain; charset=latin1' })
        .end(Buffer.from([0x47, 0xfc, 0x74]));
    case 'GET /whoami':
      return headers.authorization === `Bearer ${BOOKSHOP_TOKEN}`
        ? sendJson(response, { authorized: true })
        : sendJson(response, { detail: `not you: ${headers.authorization ?? 'nobody'}` }, 401);
    case 'GET /slow':
      return;
    case 'GET /large':
      return void response.writeHead(200, { 'content-type': 'text/plain' }).end('x'.repeat(300_000));
    case 'GET /broken':
      return sendJson(response, { detail: 'a bug' }, 500);
    case 'GET /down':
      return void response.writeHead(503, { 'retry-after': '7' }).end('closed for the night');
    case 'GET /moved':
      return void response.writeHead(302, { location: 'https://elsewhere.example/books' }).end();
    case 'GET /liar':
      return sendJson(response, { isbn: 4 });
    default:
      return sendJson(response, { echo: seen });
  }
}
