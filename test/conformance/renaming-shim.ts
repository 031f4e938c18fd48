// The suites know the fixtures' tools and prompts by their own names; all servers together show them as
// `<server>__<name>`. This filter stands between the two.
import { isRecord } from './asking-tools.ts';
import type { MessageFilter, RawHeaders } from './header-proxy.ts';

const SENTINEL = /^=\?base64\?(.*)\?=$/;
const NAMED_METHODS = new Set(['tools/call', 'prompts/get']);

type Json = Readonly<Record<string, unknown>>;

/** Shows what one server has, unprefixed, and nothing of the others. */
export function renamingShim(server: string): MessageFilter {
  const prefix = `${server}__`;
  const qualified = (name: string): string => `${prefix}${name}`;
  return {
    request: (headers, body) => {
      const message = parsed(body);
      if (message === undefined || !isNamed(message, headers)) return { headers, body };
      const renamed = JSON.stringify(renamedRequest(message, qualified));
      return { headers: renamedHeaders(headers, qualified), body: renamed };
    },
    response: (line) => {
      const start = /^data: ?/.exec(line)?.[0] ?? '';
      const message = parsed(line.slice(start.length));
      const result = message?.['result'];
      if (message === undefined || !isRecord(result)) return line;
      if (!Array.isArray(result['tools']) && !Array.isArray(result['prompts'])) return line;
      return `${start}${JSON.stringify({ ...message, result: shown(result, prefix) })}`;
    },
  };
}

function parsed(text: string): Json | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    // Malformed on purpose: it passes as it is.
    return undefined;
  }
}

function isNamed(message: Json, headers: RawHeaders): boolean {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'mcp-method');
  const declared = at < 0 ? undefined : headers[at + 1];
  const method = String(message['method']);
  return NAMED_METHODS.has(method) || method === 'completion/complete' || NAMED_METHODS.has(declared ?? '');
}

function renamedRequest(message: Json, qualified: (name: string) => string): Json {
  const params = message['params'];
  if (!isRecord(params)) return message;
  const ref = params['ref'];
  if (isRecord(ref) && ref['type'] === 'ref/prompt' && typeof ref['name'] === 'string') {
    return { ...message, params: { ...params, ref: { ...ref, name: qualified(ref['name']) } } };
  }
  if (typeof params['name'] !== 'string') return message;
  return { ...message, params: { ...params, name: qualified(params['name']) } };
}

function renamedHeaders(headers: RawHeaders, qualified: (name: string) => string): RawHeaders {
  return headers.map((value, index) => {
    if (index % 2 === 0 || headers[index - 1]?.toLowerCase() !== 'mcp-name') return value;
    const encoded = SENTINEL.exec(value)?.[1];
    if (encoded === undefined) return qualified(value);
    const name = qualified(Buffer.from(encoded, 'base64').toString('utf8'));
    return `=?base64?${Buffer.from(name).toString('base64')}?=`;
  });
}

function shown(result: Json, prefix: string): Json {
  const unprefixed = (list: unknown): unknown =>
    Array.isArray(list)
      ? list
          .filter((entry: unknown): entry is Json => isRecord(entry) && String(entry['name']).startsWith(prefix))
          .map((entry) => Object.assign(entry, { name: String(entry['name']).slice(prefix.length) }))
      : list;
  const lists = Object.entries(result).filter(([key]) => key === 'tools' || key === 'prompts');
  return { ...result, ...Object.fromEntries(lists.map(([key, list]) => [key, unprefixed(list)])) };
}
