// A receiver of webhooks that checks signatures with the reference library; the path says how it behaves.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { listen, readText, sendJson, type Fixture } from './fixture-http.ts';
import { WEBHOOK_SECRET } from './webhook-secret.ts';

export interface ReceivedPost {
  readonly path: string;
  readonly id: string;
  readonly contentType: string;
  /** Signed with the secret, and not long ago. */
  readonly verified: boolean;
  readonly message: Readonly<Record<string, unknown>>;
}

type Behavior = (request: IncomingMessage, response: ServerResponse, earlier: number) => void;

const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Behavior =>
  (_request, response) =>
    void response.writeHead(code, headers).end('not to be read');

const BEHAVIORS: Readonly<Record<string, Behavior>> = {
  ok: status(204),
  'endless-body': (_request, response) => void response.writeHead(200).write('a body without an end'),
  error: status(500),
  'fails-once': (request, response, earlier) => status(earlier === 0 ? 500 : 200)(request, response, earlier),
  busy: status(429, { 'retry-after': '120' }),
  gone: status(410),
  redirect: (request, response) =>
    void response.writeHead(307, { location: `http://${request.headers.host ?? ''}/stolen?token=secret` }).end(),
  close: (request) => void request.socket.destroy(),
  hang: () => {},
  'hangs-once': (request, response, earlier) => {
    if (earlier > 0) status(200)(request, response, earlier);
  },
};

/** `POST /<behavior>/<anything>`; `GET /received?path=…` lists what came to a path, oldest first. */
export async function startWebhookReceiver(): Promise<Fixture> {
  const received: ReceivedPost[] = [];
  const webhook = new Webhook(WEBHOOK_SECRET);
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://receiver');
    const { pathname: path } = url;
    if (path === '/received') {
      const asked = url.searchParams.get('path');
      return sendJson(
        response,
        received.filter((post) => post.path === asked),
      );
    }
    const body = await readText(request);
    const earlier = received.filter((post) => post.path === path).length;
    received.push(readPost(webhook, request, path, body));
    (BEHAVIORS[path.split('/')[1] ?? ''] ?? status(404))(request, response, earlier);
  };
  return listen((request, response) => void serve(request, response));
}

function readPost(webhook: Webhook, request: IncomingMessage, path: string, body: string): ReceivedPost {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const post = { path, id: headers['webhook-id'] ?? '', contentType: headers['content-type'] ?? '' };
  try {
    return { ...post, verified: true, message: webhook.verify(body, headers) as ReceivedPost['message'] };
  } catch {
    return { ...post, verified: false, message: JSON.parse(body) as ReceivedPost['message'] };
  }
}
