import { beforeEach, describe, expect, it } from 'vitest';
import { freshGateway, type TestGateway } from './admin-app.ts';

type Answer = Record<string, unknown>;
interface List {
  items: Answer[];
  next_cursor: string | null;
}

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await freshGateway();
});

async function answerTo(method: string, path: string, body?: unknown): Promise<[number, Answer]> {
  const response = await gateway.admin(method, path, body);
  return [response.status, response.status === 204 ? {} : await response.json<Answer>()];
}

const SERVER = {
  name: 'github',
  type: 'http',
  url: 'https://h/mcp?k=hidden',
  headers: { Authorization: 'Bearer hidden' },
};

describe('an object', () => {
  it('is created, read, replaced and deleted', async () => {
    const created = await gateway.admin('POST', '/api/servers', SERVER);
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe('/api/servers/github');
    const shown = await created.json<Answer>();
    expect(shown).toMatchObject({ id: expect.stringMatching(/^srv_/), source: 'api', url: 'https://h/mcp?k=•••' });

    const [status, replaced] = await answerTo('PUT', '/api/servers/github', { ...SERVER, timeout: '5s' });
    expect([status, replaced['timeout'], replaced['id']]).toEqual([200, 5000, shown['id']]);
    expect(await answerTo('DELETE', '/api/servers/github')).toEqual([204, {}]);
    expect((await answerTo('GET', '/api/servers/github'))[0]).toBe(404);
    expect((await answerTo('DELETE', '/api/servers/github'))[0]).toBe(404);
    await gateway.settle();
    expect(gateway.touched).toEqual(['github', 'github']);
    expect(gateway.retired).toEqual(['github']);
    expect(gateway.recorded.map(({ event }) => event.subject)).toEqual([
      'server/github created',
      'server/github updated',
      'server/github deleted',
    ]);
  });

  it('may be sent back as it was answered, and keeps its secrets', async () => {
    await gateway.admin('POST', '/api/servers', SERVER);
    const [, shown] = await answerTo('GET', '/api/servers/github');
    const [status] = await answerTo('PUT', '/api/servers/github', { ...shown, timeout: '7s' });
    expect(status).toBe(200);
    expect((await gateway.services.snapshot()).upstreams.get('github')).toMatchObject({ ...SERVER, timeout: 7000 });
    const moved = await answerTo('PUT', '/api/servers/github', { ...shown, url: 'https://evil/mcp?k=•••' });
    expect(moved).toMatchObject([400, { problems: [{ path: 'url', message: 'is masked' }] }]);
  });

  it('is created by PUT as well, once', async () => {
    const response = await gateway.admin('PUT', '/api/teams/eng%2Fcore', {});
    expect([response.status, response.headers.get('location')]).toEqual([201, '/api/teams/eng%2Fcore']);
    expect(await answerTo('GET', '/api/teams/eng%2Fcore')).toMatchObject([200, { name: 'eng/core' }]);
    expect((await answerTo('PUT', '/api/teams/eng%2Fcore', {}))[0]).toBe(200);
    expect(await answerTo('POST', '/api/teams', { name: 'eng/core' })).toMatchObject([409, { code: 'conflict' }]);
    expect(gateway.recorded).toHaveLength(1);
  });

  it('of the file is changed in the file only', async () => {
    await gateway.admin('PUT', '/api/config', { customers: [{ name: 'acme' }] });
    for (const [method, body] of [
      ['PUT', {}],
      ['DELETE', undefined],
    ] as const)
      expect(await answerTo(method, '/api/customers/acme', body)).toMatchObject([
        409,
        { detail: 'The customer "acme" is defined in the configuration file. Change it there.' },
      ]);
  });

  it('stays while others refer to it, and those are named', async () => {
    await gateway.admin('POST', '/api/teams', { name: 'eng' });
    await gateway.admin('POST', '/api/virtual-keys', { key_name: 'k', team: 'eng' });
    expect(await answerTo('DELETE', '/api/teams/eng')).toMatchObject([
      409,
      { problems: [{ path: 'virtual_keys.k.team', message: 'no team is named "eng"' }] },
    ]);
    expect((await answerTo('DELETE', '/api/virtual-keys/k'))[0]).toBe(204);
    expect((await answerTo('DELETE', '/api/teams/eng'))[0]).toBe(204);
  });

  it.each<[string, string, Answer, string]>([
    ['an unknown field', '/api/servers/x', { type: 'http', urk: 'http://h' }, 'did you mean url?'],
    ['a wrong type', '/api/providers/p', { keys: 'sk' }, 'keys'],
    ['no http URL', '/api/servers/x', { type: 'http', url: 'file:///etc/passwd' }, 'http'],
    ['another name than its path', '/api/teams/a', { name: 'b' }, 'must be "a"'],
    [
      'a reference that leads nowhere',
      '/api/virtual-keys/k',
      { mcp_clients: [{ name: 'nope', allowed_tools: ['*'] }] },
      'no server is named "nope"',
    ],
    ['a bad name', '/api/servers/UPPER', { type: 'http', url: 'http://h' }, 'lower-case'],
    ['a tool group named as a server', '/api/tool-groups/taken', { tools: {} }, '/mcp/taken'],
  ])('is refused with %s', async (_case, path, body, expected) => {
    await gateway.admin('POST', '/api/servers', { ...SERVER, name: 'taken' });
    const [status, problem] = await answerTo('PUT', path, body);
    expect(status).toBe(400);
    expect(problem['detail']).toContain(expected);
    expect((await answerTo('GET', path))[0]).toBe(404);
  });

  it('needs a name', async () => {
    expect(await answerTo('POST', '/api/virtual-keys', {})).toMatchObject([400, { problems: [{ path: 'key_name' }] }]);
  });
});

describe('a virtual key', () => {
  it('is generated, shown once, and works at once until it is deleted', async () => {
    const [, created] = await answerTo('POST', '/api/virtual-keys', { key_name: 'k' });
    const { key } = created;
    expect(key).toMatch(/^vk-\w{32}$/);
    const [, shown] = await answerTo('GET', '/api/virtual-keys/k');
    expect(shown).not.toHaveProperty('key');
    expect(shown['key_prefix']).toBe(String(key).slice(0, 6));

    const statusOf = async () => (await gateway.fetch('/guarded', { headers: { 'x-api-key': String(key) } })).status;
    expect(await statusOf()).toBe(200);
    const [status, replaced] = await answerTo('PUT', '/api/virtual-keys/k', { ...shown, disabled: true });
    expect(status).toBe(200);
    expect(replaced).not.toHaveProperty('key');
    expect(await statusOf()).toBe(401);
    await answerTo('PUT', '/api/virtual-keys/k', { ...shown, disabled: false });
    expect(await statusOf()).toBe(200);
    await answerTo('DELETE', '/api/virtual-keys/k');
    expect(await statusOf()).toBe(401);
  });

  it('may be given, and is then not shown again', async () => {
    const response = await gateway.admin('POST', '/api/virtual-keys', { key_name: 'k', key: 'vk-given-by-me' });
    expect(response.status).toBe(201);
    expect(await response.text()).not.toContain('given-by-me');
  });

  it('cannot have the key of another', async () => {
    await gateway.admin('POST', '/api/virtual-keys', { key_name: 'one', key: 'vk-the-same' });
    const [status, problem] = await answerTo('POST', '/api/virtual-keys', { key_name: 'two', key: 'vk-the-same' });
    expect([status, problem['detail']]).toEqual([
      409,
      'The virtual keys "one" and "two" have the same key. Give each its own.',
    ]);
  });
});

describe('a list', () => {
  it('goes on from its cursor, in the order of names', async () => {
    const names = ['a', 'b', 'c', 'ü and more', 'z'];
    for (const name of names.toReversed()) await gateway.admin('POST', '/api/customers', { name });
    const seen: unknown[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page: List = await (await gateway.admin('GET', `/api/customers?limit=2${query}`)).json<List>();
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map((item) => item['name']));
      cursor = page.next_cursor;
    }
    expect(seen.toSorted()).toEqual(names.toSorted());
    expect(seen).toHaveLength(names.length);
  });

  it.each(['limit=0', 'limit=501', 'limit=x', 'limit=', 'cursor=%21%21', 'cursor='])('refuses %s', async (query) => {
    expect((await answerTo('GET', `/api/customers?${query}`))[0]).toBe(400);
  });
});

describe('a path', () => {
  it.each([
    ['DELETE', '/api/config', 405, 'PUT'],
    ['PATCH', '/api/servers', 405, 'GET, POST'],
    ['PATCH', '/api/servers/x', 405, 'GET, PUT, DELETE'],
    ['POST', '/api/servers/x/health', 405, 'GET'],
    ['PUT', '/api/openapi.json', 405, 'GET'],
    ['GET', '/api/nothing', 404, null],
    ['GET', '/api/servers/x/y/z', 404, null],
    ['GET', '/api', 404, null],
    ['GET', '/api/servers/none/health', 404, null],
  ])('%s %s is answered %i', async (method, path, status, allow) => {
    const response = await gateway.admin(method, path);
    expect([response.status, response.headers.get('allow')]).toEqual([status, allow]);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ type: 'about:blank', status });
  });
});

it('tells the health of a server', async () => {
  await gateway.admin('POST', '/api/servers', SERVER);
  expect(await answerTo('GET', '/api/servers/github/health')).toMatchObject([
    200,
    {
      server: 'github',
      state: 'failing',
      breaker: 'open',
      tool_count: 0,
      resource_count: 0,
      resource_template_count: 0,
      prompt_count: 0,
      withheld_count: 0,
      pending_count: 0,
      finding_count: 0,
      retry_at: null,
      checked_at: '2027-01-15T08:00:00.000Z',
      last_error: { stage: 'connect', message: 'connection refused', since: '2027-01-15T07:59:50.000Z' },
    },
  ]);
});

it('describes itself in OpenAPI', async () => {
  const [status, document] = await answerTo('GET', '/api/openapi.json');
  expect(status).toBe(200);
  expect(document['openapi']).toBe('3.1.0');
  const { paths, components } = document as { paths: Answer; components: { schemas: Answer } };
  for (const path of ['servers', 'tool-groups', 'providers', 'customers', 'teams', 'virtual-keys'])
    expect(paths).toMatchObject({
      [`/api/${path}`]: { get: {}, post: {} },
      [`/api/${path}/{name}`]: { get: {}, put: {}, delete: {} },
    });
  expect(components.schemas['virtual_key']).toMatchObject({ required: ['key_name'] });
  // Every reference leads somewhere.
  for (const [, name] of JSON.stringify(document).matchAll(/#\/components\/schemas\/([^"]+)/g))
    expect(components.schemas).toHaveProperty(name ?? '');
});
