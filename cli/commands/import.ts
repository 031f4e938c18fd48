// `sallyport import`: the servers of another client's file (.mcp.json, claude_desktop_config.json) as YAML to add.
import { readFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { z } from 'zod';
import { formatConfigPath } from '../../src/config/check.ts';
import { Complaint } from '../complaint.ts';
import { formatProblem, parseConfig } from '../config/load.ts';

const strings = z.record(z.string(), z.string());
const clientFile = z.object({
  mcpServers: z.record(
    z.string(),
    z.union([
      z.object({
        type: z.literal('stdio').optional(),
        command: z.string(),
        args: z.array(z.string()).default([]),
        env: strings.optional(),
        cwd: z.string().optional(),
      }),
      z.object({ type: z.string().optional(), url: z.string(), headers: strings.optional() }),
    ]),
  ),
});
type ClientServer = z.output<typeof clientFile>['mcpServers'][string];

/** Prints the YAML; what cannot be taken over as it is goes to stderr. @throws Complaint when the file is of another kind */
export async function importServers(words: readonly string[]): Promise<void> {
  const [file, ...rest] = words;
  if (file === undefined || rest.length > 0) throw new Complaint('usage: sallyport import FILE', 2);
  const parsed = clientFile.safeParse(await readJson(file));
  if (!parsed.success) {
    const places = parsed.error.issues.map(({ path }) =>
      formatConfigPath(path.map((step) => (typeof step === 'symbol' ? '' : step))),
    );
    throw new Complaint(
      `${file}: not a file with "mcpServers", each with a command or a url (see ${places.join(', ')})`,
      2,
    );
  }
  const taken = new Set<string>();
  const servers = Object.entries(parsed.data.mcpServers).map(([name, server]) =>
    toUpstream(freeName(name, taken), server),
  );
  const yaml = stringify({ mcp: { servers } }, { lineWidth: 120 });
  process.stdout.write(yaml);
  const checked = parseConfig(yaml, process.env);
  for (const problem of checked.ok ? [] : checked.error)
    console.error(`to be looked at: ${formatProblem('printed YAML', problem)}`);
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new Complaint(`${file}: ${missing ? 'there is no such file' : 'cannot be read as JSON'}`, 2);
  }
}

function toUpstream(name: string, server: ClientServer): Record<string, unknown> {
  if ('command' in server) {
    const { command, args, env, cwd } = server;
    return {
      name,
      type: 'stdio',
      command: [command, ...args],
      ...(env === undefined ? {} : { env }),
      ...(cwd === undefined ? {} : { cwd }),
    };
  }
  const { url, headers } = server;
  return { name, type: server.type === 'sse' ? 'sse' : 'http', url, ...(headers === undefined ? {} : { headers }) };
}

/** Names here are lower case, digits and "-", and unique. */
function freeName(wanted: string, taken: Set<string>): string {
  const base =
    wanted
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 36) || 'server';
  let name = base;
  for (let number = 2; taken.has(name); number++) name = `${base}-${number}`;
  taken.add(name);
  return name;
}
