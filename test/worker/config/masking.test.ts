import { describe, expect, it } from 'vitest';
import { MASK, maskSecrets, restoreMasked } from '../../../src/config/masking.ts';

describe('masking', () => {
  it.each([
    ['https://mcp.example.com/mcp', 'https://mcp.example.com/mcp'],
    ['https://h/mcp?api_key=secret&team=eng', `https://h/mcp?api_key=${MASK}&team=${MASK}`],
    ['https://h/mcp?0123456789abcdefghij', `https://h/mcp?${MASK}=${MASK}`],
    ['https://h/api/mcp/s/0123456789abcdefghij/mcp', `https://h/api/mcp/s/${MASK}/mcp`],
    ['https://h/mcp#secret', 'https://h/mcp'],
  ])('of %s', async (url, shown) => {
    expect(await maskSecrets('server', { url })).toEqual({ url: shown });
  });

  it('leaves of a command what tells which it is', async () => {
    const command = ['npx', '-y', '@scope/server@1.2.3', '/data', '--token', 'abc', '--key=abc', 'https://h/?k=abc'];
    const shown = ['npx', '-y', '@scope/server@1.2.3', '/data', '--token', MASK, MASK, MASK];
    expect(await maskSecrets('server', { command })).toEqual({ command: shown });
  });
});

describe('a masked definition that is sent back', () => {
  const stored = {
    name: 'openai',
    headers: { 'x-a': 'secret a' },
    keys: [
      { name: 'main', value: 'secret main' },
      { name: 'spare', value: 'secret spare' },
    ],
  };

  it('finds its secrets again, and takes new ones', async () => {
    const edited = { ...stored, headers: { 'x-a': MASK, 'x-b': 'new' }, keys: [{ name: 'main', value: MASK }] };
    expect(await restoreMasked('provider', edited, stored)).toEqual({
      document: {
        ...stored,
        headers: { 'x-a': 'secret a', 'x-b': 'new' },
        keys: [{ name: 'main', value: 'secret main' }],
      },
      unknown: [],
    });
  });

  it('keeps each key its own when an earlier one went', async () => {
    const edited = { keys: [{ name: 'spare', value: MASK }] };
    const { document } = await restoreMasked('provider', edited, stored);
    expect(document).toEqual({ keys: [{ name: 'spare', value: 'secret spare' }] });
  });

  it('does not guess: not for new places, nor unnamed entries that moved, nor an edited URL', async () => {
    const unnamed = { keys: [{ value: 'one' }, { value: 'two' }] };
    expect((await restoreMasked('provider', { keys: [{ value: MASK }] }, unnamed)).unknown).toEqual(['keys/0:1/value']);
    expect((await restoreMasked('provider', { headers: { 'x-z': MASK } }, stored)).unknown).toEqual(['headers/x-z']);
    const url = `https://evil.example/?key=${MASK}`;
    expect((await restoreMasked('server', { url }, { url: 'https://good.example/?key=secret' })).unknown).toEqual([
      'url',
    ]);
  });
});
