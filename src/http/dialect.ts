import type { Dialect } from './error-response.ts';

/** In which dialect a caller on this path expects its errors, known before any route has matched. */
export function dialectOf(path: string): Dialect {
  if (path === '/mcp' || path.startsWith('/mcp/')) return 'jsonrpc';
  if (path.startsWith('/anthropic/') || path.startsWith('/v1/messages')) return 'anthropic';
  if (path.startsWith('/genai/')) return 'gemini';
  if (path.startsWith('/v1/') || path.startsWith('/openai/')) return 'openai';
  return 'problem';
}
