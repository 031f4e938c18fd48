// OpenAPI descriptions in files beside the configuration.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { formatProblem, parseConfig } from '../../../cli/config/load.ts';
import { bookshopYaml } from '../../support/openapi-descriptions.ts';
import { temporaryFolder } from './run-cli.ts';

const SERVERS = 'mcp:\n  servers:\n';

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'apis'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function problemsOf(server: string, files: Readonly<Record<string, string>> = {}): string[] {
  const parsed = parseConfig(`${SERVERS}    - name: shop\n      type: openapi\n${server}`, {}, folderWith(files));
  return parsed.ok ? [] : parsed.error.map((problem) => formatProblem('f.yaml', problem));
}

describe('a description in a file', () => {
  it('is sent as JSON, compressed, and watched', () => {
    const text = bookshopYaml('http://127.0.0.1:9');
    const folder = folderWith({ 'apis/shop.yaml': text });
    const parsed = parseConfig(`${SERVERS}    - { name: shop, type: openapi, spec: ./apis/shop.yaml }\n`, {}, folder);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    const [server] = parsed.value.document.mcp.servers;
    if (server?.type !== 'openapi' || !('gzip' in server.spec)) throw new Error('no description');
    expect(server.spec.file).toBe('./apis/shop.yaml');
    expect(JSON.parse(gunzipSync(Buffer.from(server.spec.gzip, 'base64')).toString())).toMatchObject({
      openapi: '3.0.3',
      components: { schemas: { Book: { properties: { title: { nullable: true } } } } },
    });
    expect(parsed.value.specFiles).toEqual(new Map([[join(folder, 'apis/shop.yaml'), text]]));
    expect(parsed.value.warnings).toEqual([
      { line: 3, where: 'mcp.servers[0].spec', message: expect.stringMatching(/^left out: GET \/foreign/) },
    ]);
  });

  it('is the same for the same text', () => {
    const folder = folderWith({ 'a.json': '{"openapi":"3.1.0","servers":[{"url":"http://a"}],"paths":{}}' });
    const parse = (): string =>
      JSON.stringify(parseConfig(`${SERVERS}    - { name: a, type: openapi, spec: a.json }\n`, {}, folder));
    expect(parse()).toBe(parse());
  });

  it.each([
    [
      '      spec: nowhere.yaml\n',
      {},
      'there is no such file (give the path of an OpenAPI document, relative to this configuration, or its URL)',
    ],
    [
      '      spec: apis\n',
      {},
      'the file cannot be read (EISDIR) (give the path of an OpenAPI document, relative to this configuration, or its URL)',
    ],
    [
      '      spec: page.html\n',
      { 'page.html': '<!doctype html>' },
      'the description is a web page or XML instead of an OpenAPI document in JSON or YAML',
    ],
    ['      spec: a.yaml\n', { 'a.yaml': 'a: [' }, 'the description is neither valid JSON nor valid YAML'],
    [
      '      spec: a.yaml\n',
      { 'a.yaml': 'openapi: 3.1.0\npaths: {}' },
      'the description does not say where the API is (servers[0].url is not absolute): set base_url',
    ],
    [
      '      spec: huge.json\n',
      { 'huge.json': ' '.repeat(4 * 1024 * 1024 + 1) },
      'the description is larger than 4 MiB, the most allowed',
    ],
    ['      spec: ""\n', {}, 'must be an http:// or https:// URL here; only the command line can read a file'],
  ])('that cannot be used is told with its line: %s', (server, files, message) => {
    expect(problemsOf(server, files)).toEqual([`f.yaml:5: mcp.servers[0].spec: ${message}`]);
  });

  it('must be named', () => {
    expect(problemsOf('      timeout: 1s\n')).toEqual([
      'f.yaml:3: mcp.servers[0].spec: is required and must be text or a mapping',
    ]);
  });

  it('is not read for an address, nor where a description already is', () => {
    const inline = '      spec: { document: { openapi: 3.1.0, paths: {} } }\n';
    expect(problemsOf('      spec: https://api.example/openapi.json\n')).toEqual([]);
    expect(problemsOf(inline)).toEqual([]);
    expect(problemsOf('      spec: ftp://api.example/openapi.json\n')[0]).toMatch(/there is no such file/);
  });

  it('does not hide what else is wrong', () => {
    expect(problemsOf('      spec: nowhere.yaml\n      base_url: nowhere\n')).toEqual([
      expect.stringMatching(/^f\.yaml:5: .*there is no such file/),
      expect.stringMatching(/^f\.yaml:6: mcp\.servers\[0\]\.base_url: must be an http/),
    ]);
  });
});
