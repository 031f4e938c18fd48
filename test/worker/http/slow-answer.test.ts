import { expect, it, vi } from 'vitest';
import { answerInTime } from '../../../src/http/slow-answer.ts';

const PATIENCE = { patienceMs: 10, keepAliveMs: 20, onHangUp: () => {} };

async function after(milliseconds: number, response: Response): Promise<Response> {
  await scheduler.wait(milliseconds);
  return response;
}

it('leaves an answer in time alone', async () => {
  const answer = Response.json({ a: 1 });
  expect(await answerInTime(Promise.resolve(answer), PATIENCE)).toBe(answer);
});

it('sends signs of life, then a late JSON answer as an event', async () => {
  const response = await answerInTime(after(100, Response.json({ a: 1 })), PATIENCE);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(await response.text()).toMatch(/^(: keepalive\n\n){3,}event: message\ndata: \{"a":1\}\n\n$/);
});

it('goes on with the events of a late stream', async () => {
  const stream = new Response('event: message\ndata: {}\n\n', { headers: { 'content-type': 'text/event-stream' } });
  const text = await (await answerInTime(after(50, stream), PATIENCE)).text();
  expect(text).toMatch(/\n\nevent: message\ndata: \{\}\n\n$/);
});

it('tells when the client hangs up, and falls silent', async () => {
  const onHangUp = vi.fn<() => void>();
  const never = new Promise<Response>(() => {});
  const response = await answerInTime(never, { ...PATIENCE, onHangUp });
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  expect(onHangUp).toHaveBeenCalledOnce();
});
