// A tool that comes while Claude Code runs is called in the same run: the server says that its list changed, the gateway
// passes that on, Claude Code lists again.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { startFixtureV1 } from '../conformance/fixture-v1.ts';
import { startFixtureV2 } from '../conformance/fixture-v2.ts';
import { callInTurnThenRepeat, type MessagesRequest, type Turn } from '../support/scripted-provider.ts';
import type { Checklist } from './checklist.ts';
import { claudeCode, type ClaudeCodeOptions } from './claude-code.ts';

export const CHANGING_KEY = 'vk-claude-code-changing';
const ERAS = ['modern', 'legacy'] as const;
const STARTS = { stable: startFixtureV2, maintenance: startFixtureV1 } as const;
const LINES = ['stable', 'maintenance'] as const;

type Era = (typeof ERAS)[number];

export interface ChangingServers {
  /** For the configuration of the gateway, indented as its lists are. */
  readonly servers: string;
  readonly key: string;
  stop(): Promise<void>;
}

/** One for each era of the client and each era of the server: what one run changes no other sees. */
export async function startChangingServers(): Promise<ChangingServers> {
  const started = await Promise.all(
    ERAS.flatMap((era) => LINES.map(async (line) => ({ name: nameOf(era, line), fixture: await STARTS[line]() }))),
  );
  return {
    servers: started
      .map(({ name, fixture }) => `    - { name: ${name}, type: http, url: "${fixture.url}/mcp" }`)
      .join('\n'),
    key: `  - key_name: claude-code-changing
    key: ${CHANGING_KEY}
    mcp_clients:
${started.map(({ name }) => grantOf(name)).join('\n')}
    providers: [{ name: anthropic, models: ["claude-*"] }]`,
    stop: async () => void (await Promise.all(started.map(({ fixture }) => fixture.stop()))),
  };
}

function grantOf(server: string): string {
  return `      - { name: ${server}, allowed_tools: ["test_trigger_tool_change", "test_passing_tool"] }`;
}

export interface ChangingRun extends Omit<ClaudeCodeOptions, 'home' | 'apiKey'> {
  readonly era: Era;
  readonly folder: string;
  /** Adds the gateway to Claude Code, with the key of these servers. */
  readonly line: string;
  readonly model: string;
  readonly follow: (plan: (request: MessagesRequest) => Turn) => void;
}

export async function checkChangingServers(checklist: Checklist, run: ChangingRun): Promise<void> {
  for (const line of LINES) {
    const server = nameOf(run.era, line);
    const tool = (name: string): string => `mcp__sallyport__${server}__${name}`;
    let turns = 0;
    const plan = callInTurnThenRepeat([
      { name: tool('test_trigger_tool_change'), input: {} },
      { name: tool('test_passing_tool'), input: {} },
    ]);
    run.follow((request) => {
      turns++;
      return plan(request);
    });
    await checklist.check(`${run.era}: a tool added mid-run by a server on the ${line} line is called`, async () => {
      const claude = claudeCode({ ...run, home: join(run.folder, `home-${server}`), apiKey: CHANGING_KEY });
      const added = await claude.shell(run.line);
      assert.equal(added.code, 0, added.stdout + added.stderr);
      const how = ['--output-format', 'stream-json', '--verbose', '--allowedTools', 'mcp__sallyport__*'];
      const asked = ['-p', 'Use the new tool.', '--model', run.model];
      const { code, stdout, stderr } = await claude.run([...asked, ...how, '--debug-file', claude.debugLog]);
      assert.equal(code, 0, `${stdout}\n${stderr}`);
      assert.match(stdout, /The tool said: Still here\./);
      return `in ${turns} turns of the model`;
    });
  }
}

function nameOf(era: Era, line: string): string {
  return `${era}-${line}`;
}
