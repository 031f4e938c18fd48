import { expect, it } from 'vitest';
import { readJson } from '../../../src/http/read-json.ts';

const LIMITS = { maxBytes: 1000, duplicateDepth: 3 };
const JSON_TYPE = { 'content-type': 'application/json' };

function request(body: BodyInit | null, headers: Record<string, string> = JSON_TYPE): Request {
  return new Request('http://sallyport/', { method: 'POST', body, headers });
}

async function codeAndMessage(sent: Request): Promise<[string, string]> {
  const result = await readJson(sent, LIMITS);
  if (result.ok) throw new Error('was accepted');
  return [result.error.code, result.error.message];
}

it('gives back the text as sent, its value, and where the members stand', async () => {
  const text = ' { "model" : "m\\u00e9", "x": "é" }\n';
  const result = await readJson(request(text, { 'content-type': 'application/json; charset=UTF-8' }), LIMITS);
  if (!result.ok) throw new Error(result.error.message);
  expect(result.value.text).toBe(text);
  expect(result.value.value).toEqual({ model: 'mé', x: 'é' });
  expect(result.value.members.get('model')).toEqual({ start: 13, end: 22 });
  expect(result.value.byteLength).toBe(new TextEncoder().encode(text).byteLength);
});

it.each(['application/json', 'Application/JSON', 'application/vnd.api+json', 'application/json; charset="utf-8"'])(
  'takes %s',
  async (type) => {
    expect((await readJson(request('{}', { 'content-type': type }), LIMITS)).ok).toBe(true);
  },
);

it.each([
  ['text/plain'],
  ['application/x-www-form-urlencoded'],
  ['multipart/form-data; boundary=x'],
  ['application/json; charset=utf-16'],
  ['application/jsonx'],
])('refuses content-type %s', async (type) => {
  expect(await codeAndMessage(request('{}', { 'content-type': type }))).toEqual([
    'unsupported_media_type',
    'Send the body as content-type: application/json in UTF-8.',
  ]);
});

it('refuses a body without a content-type and one that is compressed', async () => {
  const untyped = new Request('http://sallyport/', { method: 'POST', body: new TextEncoder().encode('{}') });
  expect((await codeAndMessage(untyped))[0]).toBe('unsupported_media_type');
  const gzip = request('{}', { ...JSON_TYPE, 'content-encoding': 'gzip' });
  expect((await codeAndMessage(gzip))[0]).toBe('unsupported_media_type');
  expect((await readJson(request('{}', { ...JSON_TYPE, 'content-encoding': 'identity' }), LIMITS)).ok).toBe(true);
});

it('refuses by declared length without reading', async () => {
  const sent = request('{}', { ...JSON_TYPE, 'content-length': '1001' });
  expect((await codeAndMessage(sent))[0]).toBe('request_too_large');
  expect(sent.bodyUsed).toBe(false);
});

it('stops reading a body of unknown length at the cap', async () => {
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(400).fill(0x20));
    },
  });
  expect((await codeAndMessage(request(endless)))[0]).toBe('request_too_large');
  expect(pulled).toBeLessThan(10);
});

it('takes a body of exactly the cap', async () => {
  expect((await readJson(request(`"${'x'.repeat(998)}"`), LIMITS)).ok).toBe(true);
  expect((await readJson(request(`"${'x'.repeat(999)}"`), LIMITS)).ok).toBe(false);
});

it.each<[string, BodyInit | null, string]>([
  ['nothing', null, 'The request body is empty; send a JSON object.'],
  ['broken UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'The request body is not valid UTF-8.'],
  [
    'a stray comma',
    '{"a":1,\n "b":2,}',
    'The request body is not valid JSON: unexpected character at position 15 (line 2, column 8).',
  ],
  ['half a body', '{"a":[1', 'The request body is not valid JSON: it ends too early, at position 7.'],
  ['a key given twice', '{"p":{"n":1,"n":2}}', 'The request body gives the key "p.n" twice; send it once.'],
])('refuses %s', async (_what, body, message) => {
  expect(await codeAndMessage(request(body))).toEqual(['invalid_request', message]);
});
