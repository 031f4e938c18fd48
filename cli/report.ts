// What the command line says of a gateway, as text.
import type { AppliedConfig } from './admin-client.ts';
import type { TriedServer } from './commands/tried-servers.ts';

const MAX_ERROR_LENGTH = 160;

/** Columns as wide as their widest cell; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function serverTable(servers: readonly TriedServer[]): string {
  return table([
    ['server', 'type', 'state', 'tools', 'last error'],
    ...servers.map(({ server, health }) => {
      const state = server.disabled ? 'disabled' : health.state === 'unknown' ? 'still starting' : health.state;
      const error = state === 'healthy' ? '' : oneLine(health.last_error?.message ?? '');
      const withheld = health.withheld_count === 0 ? '' : ` (${health.withheld_count} withheld)`;
      return [server.name, server.type, state, `${health.tool_count}${withheld}`, error];
    }),
  ]);
}

/** `server everything deleted`, one item per change. */
export function changeList({ changes }: AppliedConfig): string {
  return (
    changes.map(({ kind, name, change }) => `${kind.replaceAll('_', ' ')} ${name} ${change}`).join(', ') || 'no change'
  );
}

export function generatedKeyLines({ generated_keys: generated }: AppliedConfig): string[] {
  return generated.map(({ key_name: name, key }) => `key of ${name}, shown this once: ${key}`);
}

/** The line to paste for Claude Code. @param key undefined where the key is not known here */
export function claudeLine(url: string, key: string | undefined): string {
  const server = {
    type: 'http',
    url: `${url}/mcp`,
    headers: { Authorization: `Bearer ${key ?? '<your virtual key>'}` },
  };
  return `claude mcp add-json sallyport '${JSON.stringify(server).replaceAll("'", String.raw`'\''`)}'`;
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > MAX_ERROR_LENGTH ? `${line.slice(0, MAX_ERROR_LENGTH)}…` : line;
}
