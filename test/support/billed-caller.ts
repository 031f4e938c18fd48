// A caller of models on a connection of its own for each call, that can hang up whenever it likes.
import { request, type IncomingHttpHeaders } from 'node:http';
import { BILLED_MODEL, CENT_TOKENS } from './billing-provider.ts';

export interface ModelCall {
  /** Of the gateway. */
  readonly url: string;
  readonly key: string;
  readonly dialect?: 'openai' | 'anthropic';
  /** `provider/model`. */
  readonly model?: string;
  readonly maxTokens?: number;
  readonly stream?: boolean;
  /** Hangs up so long after it has sent its request, unless the answer is complete by then. */
  readonly leaveAfterMs?: number;
  /** Hangs up when so much of the answer has arrived. */
  readonly leaveAfterBytes?: number;
}

export interface ModelAnswer {
  /** Zero where the connection failed before there was one. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly isComplete: boolean;
}

/** Never rejects: a broken connection is an outcome too. */
export function callModel(call: ModelCall): Promise<ModelAnswer> {
  const { url, key, dialect = 'openai', maxTokens = CENT_TOKENS, stream = false } = call;
  const body = JSON.stringify({
    model: call.model ?? `biller/${BILLED_MODEL}`,
    max_tokens: maxTokens,
    stream,
    ...(stream && dialect === 'openai' && { stream_options: { include_usage: true } }),
    messages: [{ role: 'user', content: 'Say so many words.' }],
  });
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const path = dialect === 'openai' ? '/v1/chat/completions' : '/v1/messages';
    const outgoing = request(`${url}${path}`, { method: 'POST', agent: false, headers });
    const timer = call.leaveAfterMs === undefined ? undefined : setTimeout(() => outgoing.destroy(), call.leaveAfterMs);
    let status = 0;
    let answered: IncomingHttpHeaders = {};
    let text = '';
    let isComplete = false;
    outgoing.on('response', (response) => {
      status = response.statusCode ?? 0;
      answered = response.headers;
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (call.leaveAfterBytes !== undefined && text.length >= call.leaveAfterBytes) outgoing.destroy();
      });
      response.on('end', () => (isComplete = response.complete));
      response.on('error', () => undefined);
    });
    outgoing.on('error', () => undefined);
    outgoing.on('close', () => {
      clearTimeout(timer);
      resolve({ status, headers: answered, text, isComplete });
    });
    outgoing.end(body);
  });
}

/** All at once. */
export function callModels(count: number, callOf: (index: number) => ModelCall): Promise<ModelAnswer[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => callModel(callOf(index))));
}

export function countByStatus(answers: readonly ModelAnswer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
