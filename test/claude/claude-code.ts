// Claude Code itself, in a version of its own and in an environment of its own: nothing of the machine's user leaks in.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROJECT_ROOT } from '../support/gateway-process.ts';

const VERSION = '2.1.330';
const FOLDER = join(PROJECT_ROOT, '.cache/claude-code');
const RUN_TIMEOUT_MS = 120_000;

/** Installs it where it is missing and gives back the path of the native program, which is run without its launcher. */
export function installClaudeCode(): string {
  const program = join(FOLDER, `node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`);
  const manifest = join(dirname(program), 'package.json');
  const present =
    existsSync(program) && existsSync(manifest) && readFileSync(manifest, 'utf8').includes(`"${VERSION}"`);
  if (!present) {
    console.log(`installing @anthropic-ai/claude-code@${VERSION} into ${FOLDER} …`);
    const specifier = `@anthropic-ai/claude-code@${VERSION}`;
    const args = [
      'install',
      '--prefix',
      FOLDER,
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '--save-exact',
      specifier,
    ];
    const { status } = spawnSync('npm', args, { stdio: ['ignore', 'inherit', 'inherit'] });
    if (status !== 0 || !existsSync(program)) throw new Error(`npm ${args.join(' ')} did not bring ${program}`);
  }
  return program;
}

export interface ClaudeCodeOptions {
  readonly program: string;
  /** A folder for this run alone: home, configuration and working directory. */
  readonly home: string;
  /** `ANTHROPIC_BASE_URL` and the virtual key. */
  readonly modelUrl: string;
  readonly apiKey: string;
  /** Which protocol the MCP client opens with: `auto` tries 2026-07-28 first, `legacy` never does. */
  readonly negotiation: 'legacy' | 'auto';
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ClaudeCode {
  /** Runs a shell line in which `claude` is this program: for lines that a user would paste. */
  shell(line: string): Promise<Finished>;
  run(args: readonly string[]): Promise<Finished>;
  readonly debugLog: string;
}

export function claudeCode(options: ClaudeCodeOptions): ClaudeCode {
  mkdirSync(options.home, { recursive: true });
  const env = {
    HOME: options.home,
    CLAUDE_CONFIG_DIR: join(options.home, '.claude'),
    PATH: `${dirname(options.program)}:/usr/local/bin:/usr/bin:/bin`,
    LANG: 'C.UTF-8',
    ANTHROPIC_BASE_URL: options.modelUrl,
    ANTHROPIC_API_KEY: options.apiKey,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    MCP_PROTOCOL_NEGOTIATION: options.negotiation,
  };
  const runProgram = (program: string, args: readonly string[]): Promise<Finished> =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        env,
        cwd: options.home,
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: RUN_TIMEOUT_MS,
        killSignal: 'SIGKILL',
      });
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => void (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, stdout, stderr }));
    });
  return {
    debugLog: join(options.home, 'debug.log'),
    shell: (line) => runProgram('/bin/sh', ['-c', line]),
    run: (args) => runProgram(options.program, args),
  };
}
