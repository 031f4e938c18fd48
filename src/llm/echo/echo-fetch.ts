// The built-in provider: answers here, in the wire formats of all dialects, so that a gateway without any account can
// be tried. It stands where the network would, so its calls are governed, metered and recorded like any other's.
import { parseJson } from '../../lib/json-value.ts';
import { echoChatCompletion, isChatRequest } from './chat-completions.ts';
import { echoGeminiEmbedding, geminiInputs } from './gemini-embeddings.ts';
import { echoGenerateContent, isGenerateContentRequest } from './generate-content.ts';
import { echoEmbeddings, embeddingInputs } from './embeddings.ts';
import { echoCountTokens, echoMessage, isMessagesRequest } from './messages.ts';
import { echoResponse, isResponsesRequest } from './responses.ts';
import { jsonAnswer } from './wire.ts';

interface Endpoint {
  readonly accepts: (request: unknown) => boolean;
  readonly answer: (request: unknown, now: number) => Response;
  readonly needs: string;
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': { accepts: isChatRequest, answer: echoChatCompletion, needs: 'a list of "messages"' },
  '/v1/responses': { accepts: isResponsesRequest, answer: echoResponse, needs: 'an "input"' },
  '/v1/embeddings': {
    accepts: (request) => embeddingInputs(request).length > 0,
    answer: echoEmbeddings,
    needs: 'an "input"',
  },
  '/v1/messages': {
    accepts: (request) => isMessagesRequest(request, true),
    answer: echoMessage,
    needs: 'a list of "messages" and "max_tokens"',
  },
  '/v1/messages/count_tokens': {
    accepts: (request) => isMessagesRequest(request, false),
    answer: echoCountTokens,
    needs: 'a list of "messages"',
  },
};

const GEMINI_PATH = /^\/v1\/models\/([^/]+):(\w+)$/;

/** Gemini's paths name the model. */
function geminiEndpoint(pathname: string): Endpoint | undefined {
  const [, encoded, method = ''] = GEMINI_PATH.exec(pathname) ?? [];
  if (encoded === undefined) return undefined;
  const model = decodeURIComponent(encoded);
  if (method === 'embedContent' || method === 'batchEmbedContents')
    return {
      accepts: (request) => geminiInputs(request).length > 0,
      answer: (request) => echoGeminiEmbedding(request, method === 'embedContent'),
      needs: method === 'embedContent' ? 'a "content"' : 'a list of "requests"',
    };
  return {
    accepts: isGenerateContentRequest,
    answer: (request, now) => echoGenerateContent(request, now, method, model),
    needs: 'a list of "contents"',
  };
}

export async function echoFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const { pathname } = new URL(input instanceof Request ? input.url : input);
  if (pathname === '/v1/models')
    return jsonAnswer({ object: 'list', data: [{ id: 'echo', object: 'model', created: 0, owned_by: 'sallyport' }] });
  const endpoint = ENDPOINTS[pathname] ?? geminiEndpoint(pathname);
  if (endpoint === undefined) return problem(pathname, 404, `The echo provider has no ${pathname}.`);
  const request = parseJson(typeof init?.body === 'string' ? init.body : '');
  if (!endpoint.accepts(request)) return problem(pathname, 400, `The echo provider needs ${endpoint.needs}.`);
  return endpoint.answer(request, Date.now());
}

function problem(path: string, status: number, message: string): Response {
  if (GEMINI_PATH.test(path))
    return jsonAnswer({ error: { code: status, message, status: 'INVALID_ARGUMENT' } }, status);
  const type = status === 404 ? 'not_found_error' : 'invalid_request_error';
  return path.startsWith('/v1/messages')
    ? jsonAnswer({ type: 'error', error: { type, message } }, status)
    : jsonAnswer({ error: { message, type, code: null, param: null } }, status);
}
