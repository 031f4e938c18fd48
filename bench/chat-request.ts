// The chat completion that the benches ask for.
import type { RequestTemplate } from './load-generator.ts';

/** Stands in the answer of `chat-upstream.ts`. */
export const CHAT_ANSWER = '"chat.completion"';

export function chatRequest(virtualKey: string): RequestTemplate {
  return {
    method: 'POST',
    path: '/v1/chat/completions',
    headers: {
      authorization: `Bearer ${virtualKey}`,
      'content-type': 'application/json',
      accept: 'application/json',
      'user-agent': 'sallyport-bench',
    },
    body: JSON.stringify({
      model: 'openai/gpt-4o-mini',
      messages: [
        { role: 'system', content: 'You answer in one sentence, plainly, and never mention that you are a model.' },
        {
          role: 'user',
          content: 'What is a sallyport? This is question SEQUENCE of a series, so be brief about it.',
        },
      ],
      temperature: 0.2,
      max_tokens: 64,
      user: 'bench',
    }),
  };
}
