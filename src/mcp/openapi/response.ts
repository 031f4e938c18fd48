// From the answer of an API to the result of a tool. Pure.
import type { CallToolResult, ContentBlock, Tool } from '@modelcontextprotocol/client';
import { isObject, parseJson } from '../../lib/json-value.ts';
import { ERROR_TEXT_LENGTH } from './limits.ts';
import { essenceOf, isJson, isText } from './media-type.ts';
import { outputFault } from './output-check.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** What an answer without a body still says. */
const TELLING_HEADERS = ['location', 'content-type', 'content-length', 'last-modified', 'etag', 'retry-after', 'allow'];

/** @param upstream its name; @param tool the tool that was called */
export function toolResult(upstream: string, tool: Tool, answer: ApiAnswer): CallToolResult {
  const read = readAnswer(`openapi://${upstream}/${tool.name}`, answer);
  if (tool.outputSchema === undefined) return read;
  const { structuredContent: value, ...unstructured } = read;
  const fault = value === undefined ? 'it is no JSON object' : outputFault(tool, value);
  if (fault === undefined) return read;
  // A client refuses a result that is not what the tool's schema promises, and what the API did say would be lost.
  const said = `${statusLine(answer)}: the call succeeded, but the answer is not what the API's description promises (${fault}).`;
  return { content: [{ type: 'text', text: said }, ...unstructured.content], isError: true };
}

function readAnswer(uri: string, answer: ApiAnswer): CallToolResult {
  const { headers, body } = answer;
  if (body.byteLength === 0) return textResult(withHeaders(answer));
  const mediaType = essenceOf(headers.get('content-type') ?? '');
  if (mediaType.startsWith('image/')) return blocks({ type: 'image', data: base64(body), mimeType: mediaType });
  if (mediaType.startsWith('audio/')) return blocks({ type: 'audio', data: base64(body), mimeType: mediaType });
  const text = mediaType === '' || isText(mediaType) ? decode(answer) : undefined;
  if (text === undefined) {
    const mimeType = mediaType === '' ? 'application/octet-stream' : mediaType;
    return blocks({ type: 'resource', resource: { uri, mimeType, blob: base64(body) } });
  }
  const value = mediaType === '' || isJson(mediaType) ? parseJson(text) : undefined;
  return isObject(value) ? { ...textResult(text), structuredContent: value } : textResult(text);
}

/** @param mask takes the credentials out of what an API repeats of its request */
export function errorResult(answer: ApiAnswer, mask: (text: string) => string): CallToolResult {
  const mediaType = essenceOf(answer.headers.get('content-type') ?? '');
  const text = mediaType === '' || isText(mediaType) ? (decode(answer) ?? '') : '';
  const retryAfter = answer.headers.get('retry-after');
  const lines = [
    statusLine(answer),
    ...(answer.status === 401 ? ['Whoever runs this gateway sets the credentials of this API.'] : []),
    ...(retryAfter === null ? [] : [`retry-after: ${retryAfter}`]),
    // A web page tells a model nothing that the status does not.
    ...(text.trim() === '' || mediaType === 'text/html' ? [] : [text]),
  ];
  return { ...textResult(cut(mask(lines.join('\n')))), isError: true };
}

function withHeaders(answer: ApiAnswer): string {
  const told = TELLING_HEADERS.flatMap((name) => {
    const value = answer.headers.get(name);
    return value === null ? [] : [`${name}: ${value}`];
  });
  return [statusLine(answer), ...told].join('\n');
}

function statusLine({ status, statusText }: Pick<ApiAnswer, 'status' | 'statusText'>): string {
  return `HTTP ${status}${statusText === '' ? '' : ` ${statusText}`}`;
}

function textResult(text: string): CallToolResult {
  return blocks({ type: 'text', text });
}

function blocks(...content: ContentBlock[]): CallToolResult {
  return { content };
}

/** In the character set that the answer names; undefined for what is no text. */
function decode({ headers, body }: ApiAnswer): string | undefined {
  const contentType = headers.get('content-type');
  const charset = /;\s*charset="?([\w-]+)"?/i.exec(contentType ?? '')?.[1] ?? 'utf-8';
  try {
    // Without a content type only text that is flawless counts as such.
    return new TextDecoder(charset, { fatal: contentType === null, ignoreBOM: false }).decode(body);
  } catch {
    return contentType === null ? undefined : new TextDecoder().decode(body);
  }
}

function base64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  // More arguments than this end the stack.
  for (let at = 0; at < bytes.byteLength; at += 0x8000) {
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
  }
  return btoa(pieces.join(''));
}

function cut(text: string): string {
  return text.length <= ERROR_TEXT_LENGTH ? text : `${text.slice(0, ERROR_TEXT_LENGTH)}… (cut)`;
}
