import { beforeEach, describe, expect, it } from 'vitest';
import { allCells, freshGateway, type TestGateway } from './admin-app.ts';

interface ApplyAnswer {
  revision: number;
  changes: { kind: string; name: string; change: string }[];
  generated_keys: { key_name: string; key: string }[];
  warnings: { path: string; message: string; fix?: string }[];
}
interface Problem {
  status: number;
  code: string;
  detail: string;
  problems?: { path: string; message: string; fix?: string }[];
}

const SECRETS = {
  header: 'Bearer header-secret-93k2',
  env: 'env-secret-7712',
  query: 'query-secret-1199',
  path: 'path0secret1segment2long3enough',
  argument: '--api-key=argument-secret-55',
  provider: 'sk-provider-secret-4242',
  providerHeader: 'provider-header-secret-8',
  key: 'vk-secret-key-of-claude',
};

const DOCUMENT = {
  mcp: {
    servers: [
      {
        name: 'linear',
        type: 'http',
        url: `https://mcp.example.com/s/${SECRETS.path}/mcp?token=${SECRETS.query}`,
        headers: { Authorization: SECRETS.header },
      },
      {
        name: 'github',
        type: 'stdio',
        command: ['npx', '-y', '@modelcontextprotocol/server-github', SECRETS.argument],
        env: { GITHUB_TOKEN: SECRETS.env },
      },
    ],
    tool_groups: [{ name: 'read-only', tools: { github: ['get_*'] } }],
  },
  providers: [
    {
      name: 'openai',
      base_url: 'https://api.openai.com/v1',
      headers: { 'x-extra': SECRETS.providerHeader },
      keys: [{ name: 'main', value: SECRETS.provider }],
    },
  ],
  virtual_keys: [
    { key_name: 'claude', key: SECRETS.key, mcp_clients: [{ name: 'linear', allowed_tools: ['*'] }] },
    { key_name: 'generated', tool_groups: ['read-only'] },
  ],
};

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await freshGateway();
});

function guarded(key: string): Promise<Response> {
  return gateway.fetch('/guarded', { headers: { authorization: `Bearer ${key}` } });
}

async function idOf(path: string): Promise<string> {
  return (await (await gateway.admin('GET', path)).json<{ id: string }>()).id;
}

async function apply(document: unknown): Promise<ApplyAnswer> {
  const response = await gateway.admin('PUT', '/api/config', document);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}

describe('applying a configuration', () => {
  it('creates, keeps, updates and prunes', async () => {
    const first = await apply(DOCUMENT);
    expect(first.changes).toContainEqual({ kind: 'server', name: 'linear', change: 'created' });
    expect(first.changes).toHaveLength(7);
    expect(first.generated_keys).toEqual([{ key_name: 'generated', key: expect.stringMatching(/^vk-\w{32}$/) }]);

    const again = await apply(DOCUMENT);
    expect(again).toMatchObject({ revision: first.revision, changes: [], generated_keys: [] });

    const [linear] = DOCUMENT.mcp.servers;
    const changed = { ...DOCUMENT, mcp: { servers: [{ ...linear, headers: { Authorization: 'Bearer other' } }] } };
    const third = await apply({ ...changed, virtual_keys: DOCUMENT.virtual_keys.slice(0, 1) });
    expect(third.changes).toEqual([
      { kind: 'server', name: 'linear', change: 'updated' },
      { kind: 'server', name: 'github', change: 'deleted' },
      { kind: 'tool_group', name: 'read-only', change: 'deleted' },
      { kind: 'virtual_key', name: 'generated', change: 'deleted' },
    ]);
    expect(third.revision).toBe(first.revision + 1);
  });

  it('records every change durably before it makes it', async () => {
    await apply({ virtual_keys: [{ key_name: 'claude', key: SECRETS.key }] });
    expect(gateway.recorded.map(({ payer, durable, event }) => [payer, durable, event.kind, event.subject])).toEqual([
      ['config', true, 'config.changed', 'settings/settings created'],
      ['config', true, 'config.changed', 'virtual_key/claude created'],
    ]);
    gateway.auditDown = true;
    const refused = await gateway.admin('PUT', '/api/config', { virtual_keys: [] });
    expect(refused.status).toBe(503);
    expect(await refused.json<Problem>()).toMatchObject({ code: 'audit_unavailable' });
    expect((await gateway.admin('GET', '/api/virtual-keys/claude')).status).toBe(200);
  });

  it('keeps no secret in any cell and tells none in any answer', async () => {
    const applied = await gateway.admin('PUT', '/api/config', DOCUMENT);
    const generated = (await applied.clone().json<ApplyAnswer>()).generated_keys[0]?.key ?? '';
    const lists = ['servers', 'tool-groups', 'providers', 'customers', 'teams', 'virtual-keys'];
    const answers = await Promise.all(
      [...lists, 'servers/linear', 'servers/github', 'providers/openai', 'virtual-keys/claude'].map(async (path) =>
        (await gateway.admin('GET', `/api/${path}`)).text(),
      ),
    );
    const cells = await allCells();
    expect(cells).toContain('linear');
    for (const [name, secret] of Object.entries({ ...SECRETS, generated })) {
      expect(cells, `${name} in the database`).not.toContain(secret);
      expect(answers.join('\n'), `${name} in an answer`).not.toContain(secret);
      expect(JSON.stringify(gateway.recorded), `${name} in the audit record`).not.toContain(secret);
    }
    expect(await applied.text()).not.toContain(SECRETS.key);
    expect(await (await gateway.admin('GET', '/api/servers/linear')).json()).toMatchObject({
      url: 'https://mcp.example.com/s/•••/mcp?token=•••',
      headers: { Authorization: '•••' },
      source: 'file',
    });
    expect(await (await gateway.admin('GET', '/api/servers/github')).json()).toMatchObject({
      command: ['npx', '-y', '@modelcontextprotocol/server-github', '•••'],
      env: { GITHUB_TOKEN: '•••' },
    });
  });

  it('gives the worker the secrets in clear', async () => {
    await apply(DOCUMENT);
    const snapshot = await gateway.services.snapshot();
    expect(snapshot.upstreams.get('linear')).toMatchObject(DOCUMENT.mcp.servers[0] ?? {});
    expect(snapshot.upstreams.get('github')).toMatchObject(DOCUMENT.mcp.servers[1] ?? {});
    expect(snapshot.providers.get('openai')).toMatchObject({ type: 'openai', keys: [{ value: SECRETS.provider }] });
  });

  it('keeps a generated key, and drops a given one that left the file', async () => {
    const { generated_keys: generated } = await apply({
      virtual_keys: [{ key_name: 'a' }, { key_name: 'b', key: 'vk-given-b' }],
    });
    const key = generated[0]?.key ?? '';
    const later = await apply({ virtual_keys: [{ key_name: 'a', disabled: false }, { key_name: 'b' }] });
    expect(later.generated_keys.map((made) => made.key_name)).toEqual(['b']);
    expect((await guarded(key)).status).toBe(200);
    expect((await guarded('vk-given-b')).status).toBe(401);
  });

  it('keeps ids across updates', async () => {
    await apply({ virtual_keys: [{ key_name: 'a', key: 'vk-first-key' }] });
    const before = await idOf('/api/virtual-keys/a');
    expect(before).toMatch(/^vk_/);
    await apply({ virtual_keys: [{ key_name: 'a', key: 'vk-second-key' }] });
    expect(await idOf('/api/virtual-keys/a')).toBe(before);
  });

  it('touches the health of each enabled server, changed or not', async () => {
    const document = {
      mcp: { servers: [...DOCUMENT.mcp.servers, { name: 'off', type: 'http', url: 'http://x', disabled: true }] },
    };
    await apply(document);
    await apply(document);
    await gateway.settle();
    expect(gateway.touched.toSorted()).toEqual(['github', 'github', 'linear', 'linear']);
    expect(gateway.retired).toEqual([]);
  });

  it('retires the servers that left, and no other', async () => {
    await apply(DOCUMENT);
    await apply({ ...DOCUMENT, mcp: { servers: DOCUMENT.mcp.servers.slice(1) }, virtual_keys: [] });
    await gateway.settle();
    expect(gateway.retired).toEqual([DOCUMENT.mcp.servers[0]?.name]);
  });

  it('leaves objects of the API alone, and takes one over that the file defines', async () => {
    await gateway.admin('POST', '/api/customers', { name: 'acme' });
    await gateway.admin('POST', '/api/customers', { name: 'other' });
    const answer = await apply({ customers: [{ name: 'acme' }] });
    expect(answer.warnings).toEqual([
      expect.objectContaining({ path: 'customer.acme', message: expect.stringContaining('the file replaces it') }),
    ]);
    await apply({});
    expect((await gateway.admin('GET', '/api/customers/acme')).status).toBe(404);
    expect((await gateway.admin('GET', '/api/customers/other')).status).toBe(200);
  });

  it('warns when an object of the API loses what it refers to', async () => {
    await apply({ teams: [{ name: 'eng' }] });
    await gateway.admin('POST', '/api/virtual-keys', { key_name: 'api-key', team: 'eng' });
    expect((await apply({})).warnings).toContainEqual(
      expect.objectContaining({ path: 'virtual_keys.api-key.team', message: 'no team is named "eng"' }),
    );
  });

  it('refuses a key that another virtual key has', async () => {
    await gateway.admin('POST', '/api/virtual-keys', { key_name: 'api', key: 'vk-same-key' });
    const response = await gateway.admin('PUT', '/api/config', {
      virtual_keys: [{ key_name: 'file', key: 'vk-same-key' }],
    });
    expect(response.status).toBe(409);
    expect(await response.text()).not.toContain('vk-same-key');
  });
});

describe('a configuration that is not valid', () => {
  it('is refused whole, with every problem and the nearest known field', async () => {
    const response = await gateway.admin('PUT', '/api/config', {
      mcp: { servers: [{ name: 'x', type: 'http', url: 'ftp://host' }] },
      virtual_keys: [{ key_name: 'k', alowed_tools: [] }],
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const { code, detail, problems } = await response.json<Problem>();
    expect(code).toBe('invalid_request');
    expect(problems?.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['mcp.servers[0].url', 'virtual_keys[0].alowed_tools']),
    );
    expect(detail).toContain('mcp.servers[0].url');
    expect((await gateway.admin('GET', '/api/servers')).status).toBe(200);
    expect(gateway.recorded).toEqual([]);
  });

  it.each<[string, string, Record<string, string>, number, string]>([
    ['broken JSON', '{"a":', {}, 400, 'invalid_request'],
    ['a list', '[]', {}, 400, 'invalid_request'],
    ['null', 'null', {}, 400, 'invalid_request'],
    ['an empty body', '', {}, 400, 'invalid_request'],
    ['a member given twice', '{"providers":[],"providers":[]}', {}, 400, 'invalid_request'],
    ['one given twice deep inside', '{"teams":[{"name":"a","name":"b"}]}', {}, 400, 'invalid_request'],
    ['YAML', 'mcp: {}', { 'content-type': 'application/yaml' }, 415, 'unsupported_media_type'],
    ['too much', `{"a":"${'x'.repeat(21 * 1024 * 1024)}"}`, {}, 413, 'request_too_large'],
  ])('answers %s', async (_case, body, headers, status, code) => {
    const response = await gateway.admin('PUT', '/api/config', body, headers);
    expect(response.status).toBe(status);
    expect(await response.json<Problem>()).toMatchObject({ status, code });
  });
});
