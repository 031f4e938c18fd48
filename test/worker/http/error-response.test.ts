import Anthropic, * as anthropic from '@anthropic-ai/sdk';
import OpenAI, * as openai from 'openai';
import { describe, expect, it } from 'vitest';
import { dialectOf } from '../../../src/http/dialect.ts';
import { errorResponse, type Dialect } from '../../../src/http/error-response.ts';
import { failure, type Failure } from '../../../src/policy/failure.ts';

const LIMIT = {
  tier: 'team',
  name: 'eng',
  amount: 100,
  unit: 'usd',
  period: '1d',
  resetsAt: '2026-11-23T00:00:00Z',
} as const;
const SHOWN = { tier: 'team', name: 'eng', limit: 100, unit: 'usd', period: '1d', resets_at: '2026-11-23T00:00:00Z' };
const BROKE = failure('budget_exceeded', 'No money.', { retryAfterSeconds: 41_400, limit: LIMIT });
const HASTY = failure('rate_limited', 'Too fast.', {
  retryAfterSeconds: 0.2,
  limit: { ...LIMIT, amount: 60, unit: 'requests' },
});

const { resetsAt: _never, ...HOPELESS_LIMIT } = LIMIT;
const HOPELESS = failure('rate_limited', 'Too large.', {
  retryAfterSeconds: 60,
  limit: { ...HOPELESS_LIMIT, unit: 'tokens' },
});
const DISTANT = failure('rate_limited', 'Much too fast.', { retryAfterSeconds: 61, limit: LIMIT });

async function answered(reason: Failure, dialect: Dialect): Promise<unknown> {
  return errorResponse(reason, dialect, 'req_1').json();
}

describe('a request that a limit has no room for', () => {
  it.each([
    [BROKE, 402, '41400'],
    [HASTY, 429, '1'],
  ])('is answered with its status and when to come again: $code', (reason, status, retryAfter) => {
    for (const dialect of ['openai', 'anthropic', 'gemini', 'jsonrpc', 'problem'] as const) {
      const response = errorResponse(reason, dialect, 'req_1');
      expect([response.status, response.headers.get('retry-after')]).toEqual([status, retryAfter]);
    }
  });

  it('names the limit in every dialect', async () => {
    expect(await answered(BROKE, 'openai')).toEqual({
      error: { message: 'No money.', type: 'insufficient_quota', code: 'budget_exceeded', param: null, ...SHOWN },
    });
    expect(await answered(BROKE, 'anthropic')).toEqual({
      type: 'error',
      error: { type: 'billing_error', message: 'No money.', code: 'budget_exceeded', ...SHOWN },
      request_id: 'req_1',
    });
    expect(await answered(BROKE, 'jsonrpc')).toMatchObject({ error: { data: { code: 'budget_exceeded', ...SHOWN } } });
    expect(await answered(BROKE, 'problem')).toMatchObject({ status: 402, code: 'budget_exceeded', ...SHOWN });
    expect(await answered(HASTY, 'openai')).toMatchObject({
      error: { type: 'rate_limit_error', code: 'rate_limited', limit: 60, unit: 'requests' },
    });
  });

  it("names it in the details of Google's errors, as text", async () => {
    expect(await answered(BROKE, 'gemini')).toEqual({
      error: {
        code: 402,
        message: 'No money.',
        status: 'RESOURCE_EXHAUSTED',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'BUDGET_EXCEEDED',
            domain: 'sallyport',
            metadata: { code: 'budget_exceeded', ...SHOWN, limit: '100' },
          },
          { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '41400s' },
        ],
      },
    });
  });
});

function serving(reason: Failure, dialect: Dialect): { fetch: typeof fetch; asked: () => number } {
  let asked = 0;
  return {
    fetch: async () => {
      asked++;
      return errorResponse(reason, dialect, 'req_1');
    },
    asked: () => asked,
  };
}

const openAiError = async (reason: Failure, maxRetries: number) => {
  const server = serving(reason, 'openai');
  const client = new OpenAI({ apiKey: 'vk-any', baseURL: 'http://sallyport/v1', fetch: server.fetch, maxRetries });
  const error = await client.chat.completions.create({ model: 'any', messages: [] }).catch((fault: unknown) => fault);
  return { error, asked: server.asked() };
};
const anthropicError = async (reason: Failure, maxRetries: number) => {
  const server = serving(reason, 'anthropic');
  const client = new Anthropic({ apiKey: 'vk-any', baseURL: 'http://sallyport', fetch: server.fetch, maxRetries });
  const request = { model: 'any', max_tokens: 1, messages: [] };
  return { error: await client.messages.create(request).catch((fault: unknown) => fault), asked: server.asked() };
};

describe('the vendors’ SDKs', () => {
  it("OpenAI's raises an error of 402 that knows the limit, and does not try again", async () => {
    const { error, asked } = await openAiError(BROKE, 2);
    expect(error).toBeInstanceOf(openai.APIError);
    expect(error).toMatchObject({ status: 402, code: 'budget_exceeded', type: 'insufficient_quota', error: SHOWN });
    expect(asked).toBe(1);
  });

  it("OpenAI's raises RateLimitError for 429, after trying again as told", async () => {
    const { error, asked } = await openAiError(HASTY, 1);
    expect(error).toBeInstanceOf(openai.RateLimitError);
    expect(error).toMatchObject({
      status: 429,
      code: 'rate_limited',
      error: { ...SHOWN, limit: 60, unit: 'requests' },
    });
    expect(asked).toBe(2);
  });

  it.each([
    ['never fits', HOPELESS],
    ['would have to wait for longer than they do', DISTANT],
  ])('do not try again what %s', async (_, reason) => {
    for (const { error, asked } of [await openAiError(reason, 2), await anthropicError(reason, 2)]) {
      expect(error).toMatchObject({ status: 429 });
      expect(asked).toBe(1);
    }
  });

  it("Anthropic's raises an error of 402 that knows the limit, and does not try again", async () => {
    const { error, asked } = await anthropicError(BROKE, 2);
    expect(error).toBeInstanceOf(anthropic.APIError);
    expect(error).toMatchObject({
      status: 402,
      type: 'billing_error',
      error: { error: { code: 'budget_exceeded', ...SHOWN } },
    });
    expect(asked).toBe(1);
  });

  it("Anthropic's raises RateLimitError for 429, after trying again as told", async () => {
    const { error, asked } = await anthropicError(HASTY, 1);
    expect(error).toBeInstanceOf(anthropic.RateLimitError);
    expect(error).toMatchObject({ status: 429, error: { error: { code: 'rate_limited', unit: 'requests' } } });
    expect(asked).toBe(2);
  });
});

it('speaks Google’s dialect on Google’s paths, before any route has matched', async () => {
  expect(dialectOf('/genai/v1beta/models/gemini-3-pro:generateContent')).toBe('gemini');
  expect(dialectOf('/v1/models')).toBe('openai');
  const bodies = [
    ['invalid_key', 'UNAUTHENTICATED'],
    ['model_not_allowed', 'PERMISSION_DENIED'],
    ['model_not_found', 'NOT_FOUND'],
    ['invalid_request', 'INVALID_ARGUMENT'],
    ['rate_limited', 'RESOURCE_EXHAUSTED'],
    ['upstream_unavailable', 'UNAVAILABLE'],
    ['upstream_timeout', 'DEADLINE_EXCEEDED'],
    ['upstream_error', 'INTERNAL'],
    ['internal_error', 'INTERNAL'],
  ] as const;
  for (const [code, status] of bodies) {
    expect(await answered(failure(code, 'text'), 'gemini')).toMatchObject({ error: { message: 'text', status } });
  }
});
