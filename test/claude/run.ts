// Claude Code against the started gateway: MCP traffic and model traffic both through it, in both protocol eras.
// `npm run test:claude`; the last line says `N passed, N failed`.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, startGateway, survivors, type GatewayProcess } from '../support/gateway-process.ts';
import { processesMentioning } from '../support/process-table.ts';
import { referenceServer } from '../support/reference-servers.ts';
import {
  callOnceThenRepeat,
  startScriptedProvider,
  type MessagesRequest,
  type ScriptedProvider,
  type Turn,
} from '../support/scripted-provider.ts';
import { CHANGING_KEY, checkChangingServers, startChangingServers, type ChangingServers } from './changing-server.ts';
import { newChecklist } from './checklist.ts';
import { claudeCode, installClaudeCode, type ClaudeCode } from './claude-code.ts';

const VIRTUAL_KEY = 'vk-claude-code-test';
const PROVIDER_KEY = 'sk-ant-scripted-provider';
const MODEL = 'claude-sonnet-4-5';
/** As Claude Code names a tool: the server as added to it, then the gateway's qualified name. */
const TOOL = 'mcp__sallyport__filesystem__read_text_file';

type Era = 'legacy' | 'modern';
const NEGOTIATION = { legacy: 'legacy', modern: 'auto' } as const;

interface AuditRow {
  readonly kind: string;
  readonly outcome: string;
  readonly server?: string;
  readonly tool?: string;
  readonly model?: string;
  readonly tool_use_id?: string;
  readonly key_name?: string;
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cost_nano_usd?: number;
}

const checklist = newChecklist();
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-claude-')));
const notes = join(folder, 'notes');

function gatewayConfig(providerUrl: string, changing: ChangingServers): string {
  return `mcp:
  servers:
    - name: filesystem
      type: stdio
      command: ${JSON.stringify(referenceServer('server-filesystem', notes))}
    - name: everything
      type: stdio
      command: ${JSON.stringify(referenceServer('server-everything'))}
${changing.servers}
providers:
  - name: anthropic
    base_url: ${providerUrl}/v1
    keys: [{ name: main, value: ${PROVIDER_KEY} }]
virtual_keys:
  - key_name: claude-code
    key: ${VIRTUAL_KEY}
    mcp_clients:
      - { name: filesystem, allowed_tools: ["read_text_file", "list_directory"] }
      - { name: everything, allowed_tools: ["echo"] }
    providers: [{ name: anthropic, models: ["claude-*"] }]
${changing.key}
`;
}

/** The line that the gateway printed for its users to paste. */
function pastedLine(gateway: GatewayProcess): string {
  const line = /claude mcp add-json .*/.exec(gateway.output())?.[0];
  assert.ok(line !== undefined, `no "claude mcp add-json" line in:\n${gateway.output()}`);
  return line.trim();
}

async function checkEra(era: Era, program: string, gateway: GatewayProcess, provider: ScriptedProvider): Promise<void> {
  const secret = `The password of the ${era} day is ${crypto.randomUUID()}.`;
  const file = join(notes, `${era}.txt`);
  writeFileSync(file, secret);
  plan = callOnceThenRepeat(TOOL, { path: file });
  const seenBefore = provider.requests.length;
  const claude = claudeCode({
    program,
    home: join(folder, `home-${era}`),
    modelUrl: gateway.url,
    apiKey: VIRTUAL_KEY,
    negotiation: NEGOTIATION[era],
  });
  await checkConnection(era, claude, gateway);
  await checkRun(era, claude, secret);
  const requests = provider.requests.slice(seenBefore).filter(({ turn }) => turn !== undefined);
  await checklist.check(`${era}: every model request passed through the gateway, which swapped the credential`, () => {
    assert.ok(requests.length >= 2, `the provider saw ${requests.length} requests`);
    for (const { headers, path } of requests) {
      assert.equal(headers['x-api-key'], PROVIDER_KEY);
      assert.doesNotMatch(JSON.stringify(headers), new RegExp(VIRTUAL_KEY));
      assert.match(path, /\?beta=true$/);
      assert.match(String(headers['anthropic-beta']), /claude-code-/);
    }
    return `${requests.length} requests, ?beta=true and betas kept`;
  });
  const toolUse = requests.map(({ turn }) => turn).find((turn) => turn?.type === 'tool_use' && turn.name === TOOL);
  await checkAudit(era, gateway, toolUse?.type === 'tool_use' ? toolUse.id : undefined);
  await checkChangingServers(checklist, {
    era,
    program,
    folder,
    modelUrl: gateway.url,
    negotiation: NEGOTIATION[era],
    line: pastedLine(gateway).replaceAll(VIRTUAL_KEY, CHANGING_KEY),
    model: MODEL,
    follow: (next) => {
      plan = next;
    },
  });
}

async function checkConnection(era: Era, claude: ClaudeCode, gateway: GatewayProcess): Promise<void> {
  await checklist.check(`${era}: the line that start printed adds the server`, async () => {
    const { code, stdout, stderr } = await claude.shell(pastedLine(gateway));
    assert.equal(code, 0, stdout + stderr);
    return stdout.trim();
  });
  await checklist.check(`${era}: claude mcp list`, async () => {
    const { code, stdout, stderr } = await claude.run(['mcp', 'list']);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^sallyport: .*✔ Connected$/m);
    return stdout.trim().split('\n').at(-1) ?? '';
  });
}

async function checkRun(era: Era, claude: ClaudeCode, secret: string): Promise<void> {
  await checklist.check(`${era}: claude -p reads the file through the gateway's tool`, async () => {
    const asked = ['-p', 'Read the note and tell me what it says.', '--model', MODEL];
    const how = ['--output-format', 'stream-json', '--verbose', '--allowedTools', 'mcp__sallyport__*'];
    const { code, stdout, stderr } = await claude.run([...asked, ...how, '--debug-file', claude.debugLog]);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const result = events.find(({ type }) => type === 'result');
    assert.equal(result?.['subtype'], 'success', stdout);
    assert.equal(result['is_error'], false, stdout);
    assert.ok(
      String(result['result']).includes(secret),
      `the result does not repeat the file: ${String(result['result'])}`,
    );
    const offered = (events.find(({ subtype }) => subtype === 'init')?.['tools'] as string[] | undefined) ?? [];
    assert.deepEqual(
      offered.filter((name) => name.startsWith('mcp__sallyport__')).toSorted(),
      ['everything__echo', 'filesystem__list_directory', 'filesystem__read_text_file'].map(
        (name) => `mcp__sallyport__${name}`,
      ),
      'Claude Code was shown other tools than the key may call',
    );
    return `"${secret}"`;
  });
  await checklist.check(`${era}: Claude Code spoke the ${era} era`, () => {
    const spoken = /"protocolEra":"(\w+)","negotiatedProtocolVersion":"([\d-]+)"/.exec(
      readFileSync(claude.debugLog, 'utf8'),
    );
    assert.equal(spoken?.[1], era);
    return spoken[2];
  });
}

async function checkAudit(era: Era, gateway: GatewayProcess, toolUseId: string | undefined): Promise<void> {
  await checklist.check(`${era}: the LLM event and the tool event join on tool_use_id`, async () => {
    assert.ok(toolUseId !== undefined, 'the model never asked for the tool');
    // The tool event is durable before the client sees the result; the way from the ledger to the audit table, and
    // the LLM event's batch, take a moment.
    const rows = await eventually(`both events of ${toolUseId}`, 10_000, async () => {
      const page = (await gateway.admin('/api/audit-events?limit=200')) as { items: AuditRow[] };
      const joined = page.items.filter(({ tool_use_id: id }) => id?.includes(toolUseId) === true);
      return joined.length >= 2 ? joined : undefined;
    });
    assert.equal(rows.length, 2, JSON.stringify(rows));
    const tool = rows.find(({ kind }) => kind === 'tool.call');
    const llm = rows.find(({ kind }) => kind === 'llm.call');
    assert.deepEqual(
      [tool?.outcome, tool?.server, tool?.tool, tool?.key_name],
      ['ok', 'filesystem', 'read_text_file', 'claude-code'],
      JSON.stringify(tool),
    );
    assert.deepEqual([llm?.outcome, llm?.model, llm?.key_name], ['ok', MODEL, 'claude-code'], JSON.stringify(llm));
    assert.ok(
      (llm?.output_tokens ?? 0) > 0 && (llm?.cost_nano_usd ?? 0) > 0,
      `no usage or cost: ${JSON.stringify(llm)}`,
    );
    return `${toolUseId}, ${llm?.cost_nano_usd} NanoUsd`;
  });
}

let plan: (request: MessagesRequest) => Turn = () => ({ type: 'text', text: 'Nothing to do.' });

async function main(): Promise<void> {
  const program = installClaudeCode();
  const provider = await startScriptedProvider((request) => plan(request));
  mkdirSync(notes);
  const changing = await startChangingServers();
  const gateway = await startGateway({ config: gatewayConfig(provider.url, changing) });
  try {
    console.log(gateway.output().trim());
    for (const era of ['modern', 'legacy'] as const) await checkEra(era, program, gateway, provider);
    await checklist.check('nothing is left running', async () => {
      const running = gateway.processes();
      assert.equal(await gateway.stop(), 0, 'the gateway did not end cleanly');
      assert.deepEqual(await survivors([...running, ...processesMentioning(folder)], 5_000), []);
      return `${running.length} processes ended`;
    });
  } finally {
    await gateway.discard();
    await provider.close();
    await changing.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  await checklist.check('the run', () => Promise.reject(error instanceof Error ? error : new Error(String(error))));
}
process.exitCode = checklist.finish();
