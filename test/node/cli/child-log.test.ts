import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { forwardLog, SecretFilter, secretsOf } from '../../../cli/child-log.ts';
import { parseConfig } from '../../../cli/config/load.ts';

async function forwarded(lines: string, filter = new SecretFilter()): Promise<unknown[]> {
  const stream = new PassThrough();
  let written = '';
  forwardLog(stream, 'gateway', {
    filter,
    write: (line) => {
      written += line;
    },
  });
  stream.end(lines);
  await new Promise((resolve) => {
    stream.once('end', resolve);
  });
  return written
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

describe("a child's log", () => {
  it('takes the wrapping off what the worker logged', async () => {
    const wrapped = { timestamp: 0, level: 'error', message: JSON.stringify({ event: 'a.b', level: 'warn' }) };
    expect(await forwarded(`${JSON.stringify(wrapped)}\nplain words\n`)).toEqual([
      { source: 'gateway', at: '1970-01-01T00:00:00.000Z', level: 'warn', event: 'a.b' },
      { source: 'gateway', level: 'info', message: 'plain words' },
    ]);
  });

  it('holds none of the secrets of the configuration', async () => {
    const text = [
      'mcp: { servers: [{ name: a, type: http, url: "http://a.test/", headers: { Authorization: "Bearer tok-12345678" } }] }',
      'providers: [{ name: openai, keys: [{ value: sk-provider-key }] }]',
      'virtual_keys: [{ key_name: k, key: "vk-\\"quoted\\"-key" }]',
    ];
    const parsed = parseConfig(text.join('\n'), {});
    if (!parsed.ok) throw new Error('does not load');
    const filter = new SecretFilter();
    filter.know(secretsOf(parsed.value.document));
    const said = ['tok-12345678', 'sk-provider-key', 'vk-"quoted"-key'];
    const lines = await forwarded(`${said.join(' ')}\n${JSON.stringify({ level: 'error', said })}\n`, filter);
    expect(lines).toEqual([
      { source: 'gateway', level: 'info', message: '[secret] [secret] [secret]' },
      { source: 'gateway', level: 'error', said: ['[secret]', '[secret]', '[secret]'] },
    ]);
  });
});
