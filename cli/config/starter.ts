// What a first start writes: enough to try everything without an account anywhere.
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** Writes the starter configuration and the folder it shares. @throws when the file exists already */
export async function writeStarter(configFile: string): Promise<void> {
  const workspace = join(dirname(configFile), 'workspace');
  await mkdir(workspace, { recursive: true });
  await writeFile(configFile, starter(workspace), { flag: 'wx', mode: 0o600 });
  await writeFile(
    join(workspace, 'welcome.txt'),
    'Every file in this folder can be read and written through the filesystem server of sallyport.yaml.\n',
    { flag: 'wx' },
  ).catch((error: unknown) => {
    // A folder of that name with such a file in it is as good.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
}

function starter(workspace: string): string {
  // Servers run in the folder the gateway was started in.
  const fromHere = relative(process.cwd(), workspace);
  const shared = fromHere.startsWith('..') ? workspace : `./${fromHere}`;
  return `# Sallyport's configuration. Changes are applied while it runs; "sallyport check" only validates.
# \${VAR} comes from the environment, \${VAR:-default} has a fallback.

mcp:
  servers:
    # Reads and writes one folder, here beside this file.
    - name: filesystem
      type: stdio
      command: ["npx", "-y", "@modelcontextprotocol/server-filesystem", ${JSON.stringify(shared)}]

    # Shows everything an MCP server can do.
    - name: everything
      type: stdio
      command: ["npx", "-y", "@modelcontextprotocol/server-everything"]

    # A remote server; its credential stays here and never reaches the agent.
    # - name: linear
    #   type: http
    #   url: https://mcp.linear.app/mcp
    #   headers: { Authorization: "Bearer \${LINEAR_TOKEN}" }

providers:
  # Answers by itself, to try things out.
  - name: echo

  # - name: anthropic
  #   keys: [{ value: "\${ANTHROPIC_API_KEY}" }]

virtual_keys:
  # What an agent shows. It may do what is listed here and nothing else.
  - key_name: starter
    key: vk-${randomBytes(24).toString('base64url')}
    mcp_clients:
      - { name: filesystem, allowed_tools: ["*"] }
      - { name: everything, allowed_tools: ["*"] }
    providers:
      - { name: echo, models: ["*"] }
`;
}
