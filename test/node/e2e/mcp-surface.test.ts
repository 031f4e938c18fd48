// Everything but tools as an agent sees it behind the gateway: two servers with the same resources, templates and prompts,
// one of either era, met by clients of both.
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFixtureV1 } from '../../conformance/fixture-v1.ts';
import { startFixtureV2 } from '../../conformance/fixture-v2.ts';
import type { Fixture } from '../../support/fixture-http.ts';
import { eventually, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { ERAS, type Era } from '../../support/tool-client.ts';

const KEY = 'vk-e2e-surface';
const STATIC_TEXT = 'test://static-text';

let fixtures: readonly Fixture[] = [];
let gateway: GatewayProcess;

beforeAll(async () => {
  const [modern, legacy] = await Promise.all([startFixtureV2(), startFixtureV1()]);
  fixtures = [modern, legacy];
  gateway = await startGateway({
    config: `
mcp:
  servers:
    - { name: modern, type: http, url: "${modern.url}/mcp" }
    - { name: legacy, type: http, url: "${legacy.url}/mcp" }
  tool_groups:
    - name: reading
      tools: { modern: [test_simple_text] }
      resources: { modern: ["test://static-*"] }
virtual_keys:
  - key_name: all
    key: ${KEY}
    mcp_clients: [{ name: modern, allowed_tools: ["*"] }, { name: legacy, allowed_tools: ["*"] }]
  - key_name: some
    key: ${KEY}-some
    mcp_clients: [{ name: modern, allowed_tools: ["test_*"], allowed_prompts: [test_simple_prompt] }]
    tool_groups: [reading]
`,
  });
}, 120_000);

afterAll(async () => {
  await gateway?.discard();
  await Promise.all(fixtures.map((fixture) => fixture.stop()));
});

interface ClientOptions {
  readonly era: Era;
  readonly path?: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The methods that both lines of the SDK have; their types differ. */
async function connect({ era, path = '/mcp', key = KEY, headers }: ClientOptions): Promise<ModernClient> {
  const url = new URL(gateway.url + path);
  const requestInit = { headers: { authorization: `Bearer ${key}`, ...headers } };
  const identity = { name: 'sallyport-e2e', version: '1.0.0' };
  if (era === 'modern') {
    const client = new ModernClient(identity, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
    await client.connect(new ModernTransport(url, { requestInit }));
    return client;
  }
  const client = new LegacyClient(identity);
  await client.connect(new LegacyTransport(url, { requestInit }) as Parameters<LegacyClient['connect']>[0]);
  return client as unknown as ModernClient;
}

describe.each(ERAS)('a client of the %s era', (era) => {
  it('reads what two servers have under one URI from either, and the expansions of their templates', async () => {
    const client = await connect({ era });
    const { resources } = await client.listResources();
    const shown = resources.filter(({ uri }) => uri.endsWith(STATIC_TEXT)).map(({ uri }) => uri);
    expect(shown).toEqual([`mcp+legacy+${STATIC_TEXT}`, `mcp+modern+${STATIC_TEXT}`]);
    for (const uri of shown) expect(await client.readResource({ uri })).toMatchObject({ contents: [{ uri }] });
    await expect(client.readResource({ uri: STATIC_TEXT })).rejects.toMatchObject({
      code: era === 'modern' ? -32602 : -32002,
    });
    const { resourceTemplates } = await client.listResourceTemplates();
    for (const { uriTemplate } of resourceTemplates) {
      const uri = uriTemplate.replace('{id}', '7');
      const { contents } = await client.readResource({ uri });
      expect(contents).toMatchObject([{ uri, text: expect.stringContaining('"id":"7"') }]);
    }
    expect(resourceTemplates).toHaveLength(2);
    await client.close();
  });

  it('gets prompts and completions of either, and reads what a prompt embeds', async () => {
    const client = await connect({ era });
    const prompts = (await client.listPrompts()).prompts.map(({ name }) => name);
    for (const server of ['modern', 'legacy']) {
      const name = `${server}__test_prompt_with_embedded_resource`;
      expect(prompts).toContain(name);
      const { messages } = await client.getPrompt({ name, arguments: { resourceUri: STATIC_TEXT } });
      const uri = `mcp+${server}+${STATIC_TEXT}`;
      expect(messages[0]).toMatchObject({ content: { type: 'resource', resource: { uri } } });
      expect((await client.readResource({ uri })).contents).toHaveLength(1);
      const { completion } = await client.complete({
        ref: { type: 'ref/prompt', name: `${server}__test_prompt_with_arguments` },
        argument: { name: 'arg1', value: 'par' },
      });
      expect(completion.values).toEqual(['paris', 'park', 'party']);
    }
    await client.close();
  });

  it('sees and reads what is granted, at each endpoint', async () => {
    const all = await connect({ era, path: '/mcp/modern', key: `${KEY}-some` });
    expect((await all.listResources()).resources.map(({ uri }) => uri).toSorted()).toEqual([
      'test://static-binary',
      STATIC_TEXT,
    ]);
    expect((await all.listPrompts()).prompts.map(({ name }) => name)).toEqual(['test_simple_prompt']);
    await expect(all.readResource({ uri: 'test://example-resource' })).rejects.toThrow(/not found/i);
    await expect(all.getPrompt({ name: 'test_prompt_with_image' })).rejects.toThrow('Unknown prompt');
    await all.close();

    const group = await connect({ era, path: '/mcp/reading', key: `${KEY}-some` });
    expect((await group.listTools()).tools.map(({ name }) => name)).toEqual(['modern__test_simple_text']);
    expect((await group.listResources()).resources).toHaveLength(2);
    expect((await group.listPrompts()).prompts).toEqual([]);
    await group.close();
  });

  it('narrows what it sees', async () => {
    const headers = {
      'x-sallyport-include-servers': 'legacy, unheard-of',
      'x-sallyport-include-tools': 'legacy__test_simple_text, modern__test_simple_text, legacy__test_im*',
    };
    const client = await connect({ era, headers });
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
      'legacy__test_image_content',
      'legacy__test_simple_text',
    ]);
    await expect(client.callTool({ name: 'legacy__test_audio_content' })).rejects.toThrow('Unknown tool');
    await expect(client.callTool({ name: 'modern__test_simple_text' })).rejects.toThrow('Unknown tool');
    expect(await client.callTool({ name: 'legacy__test_simple_text' })).toMatchObject({ content: [{ type: 'text' }] });
    // One server is left to have it.
    expect((await client.readResource({ uri: STATIC_TEXT })).contents).toHaveLength(1);
    await client.close();
  });
});

it('refuses a malformed header', async () => {
  const headers = { authorization: `Bearer ${KEY}`, 'x-sallyport-include-tools': 'a*b' };
  const response = await fetch(`${gateway.url}/mcp`, { method: 'POST', headers, body: '{}' });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('x-sallyport-include-tools');
});

it('has reads and prompts on the record, and what servers offer in their health', async () => {
  const eventsOf = async (kind: string): Promise<readonly Record<string, unknown>[]> => {
    const answer = await gateway.admin(`/api/audit-events?kind=${kind}&limit=100`);
    return (answer as { items: Record<string, unknown>[] }).items;
  };
  const reads = await eventually('the record of a refused read', 10_000, async () => {
    const found = await eventsOf('resource.read');
    return found.some(({ reason }) => reason === 'resource_not_granted') ? found : undefined;
  });
  expect(reads).toContainEqual(
    expect.objectContaining({ outcome: 'ok', server: 'legacy', subject: STATIC_TEXT, key_name: 'all' }),
  );
  const prompts = await eventsOf('prompt.get');
  expect(prompts).toContainEqual(
    expect.objectContaining({ outcome: 'denied', reason: 'prompt_not_granted', key_name: 'some' }),
  );
  expect(await gateway.admin('/api/servers/modern/health')).toMatchObject({
    resource_count: 4,
    resource_template_count: 1,
    prompt_count: 5,
  });
});
