import { expect, it } from 'vitest';
import { serverTable } from '../../../cli/report.ts';

it('names how many tools of a server are withheld, where any are', () => {
  const health = { state: 'healthy', last_error: null } as const;
  const table = serverTable([
    {
      server: { name: 'mail', type: 'http', disabled: false },
      health: { ...health, tool_count: 7, withheld_count: 2 },
    },
    {
      server: { name: 'files', type: 'stdio', disabled: false },
      health: { ...health, tool_count: 14, withheld_count: 0 },
    },
  ]);
  expect(table.split('\n').map((line) => line.split(/\s{2,}/))).toEqual([
    ['server', 'type', 'state', 'tools', 'last error'],
    ['mail', 'http', 'healthy', '7 (2 withheld)'],
    ['files', 'stdio', 'healthy', '14'],
  ]);
});
