import { expect, it } from 'vitest';
import { mcpApp, type McpAppOptions } from '../http/mcp/mcp-app.ts';
import { modernClient } from './clients.ts';

async function instructionsOf(catalogs: McpAppOptions['catalogs'], path = '/mcp'): Promise<string> {
  const client = await modernClient(mcpApp({ catalogs }).fetch, path);
  const instructions = client.getInstructions();
  await client.close();
  return instructions ?? '';
}

const bytes = (text: string): number => new TextEncoder().encode(text).byteLength;

it('shares 4 KB among the servers, and lets one have what another does not need', async () => {
  const long = 'é'.repeat(5000);
  const instructions = await instructionsOf({
    a: { tools: [], instructions: 'Short.' },
    b: { tools: [], instructions: long },
    c: { tools: [], instructions: long },
  });
  expect(bytes(instructions)).toBeLessThanOrEqual(4096);
  expect(bytes(instructions)).toBeGreaterThan(4000);
  expect(instructions).toContain('<server name="a">\nShort.\n</server>');
  expect(instructions).toMatch(/<server name="b">\né+…\n<\/server>/);
  expect(instructions).toMatch(/<server name="c">\né+…\n<\/server>$/);
});

it('stays within 4 KB however many servers there are', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 400 }, (_, index) => [`server-number-${index}`, { tools: [], instructions: 'Hello.' }]),
  );
  expect(bytes(await instructionsOf(many))).toBeLessThanOrEqual(4096);
});

it('hands on the own words of one server at its endpoint', async () => {
  expect(await instructionsOf({ s: { tools: [], instructions: ' Ask twice. ' } }, '/mcp/s')).toBe('Ask twice.');
  expect(await instructionsOf({ s: { tools: [] } }, '/mcp/s')).toBe('');
});
