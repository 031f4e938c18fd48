// From the words typed to the command that runs.
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { nearest } from '../src/lib/nearest.ts';
import { Complaint } from './complaint.ts';
import { readSettings, SETTING_FLAGS, type Flags, type Settings } from './settings.ts';
import { KEY_FLAGS, type KeyFlags } from './commands/keys.ts';

const USAGE = `usage: sallyport <command> [flags]

  start [--config FILE] [--data DIR] [--host HOST] [--port PORT]   run the gateway
        [--allowed-hosts NAME,…]
  check [--config FILE]                                            validate the configuration, nothing else
  apply [--config FILE] [--url URL] [--data DIR]                   push it to a running gateway
  keys create NAME [--server NAME[=TOOL,…]]… [--tool-group NAME]… [--provider NAME[=MODEL,…]]…
                   [--team NAME] [--customer NAME] [--expires-at TIME] [--url URL] [--data DIR]
  keys list | keys revoke NAME  [--url URL] [--data DIR]           the virtual keys of a running gateway
  import FILE                                                      print another client's servers as YAML
  doctor [--config FILE] [--data DIR] [--host HOST] [--port PORT]  check this machine

Environment, weaker than flags: SALLYPORT_CONFIG SALLYPORT_DATA SALLYPORT_HOST SALLYPORT_PORT SALLYPORT_URL
SALLYPORT_ALLOWED_HOSTS SALLYPORT_ADMIN_TOKEN SALLYPORT_MASTER_KEY`;

interface Command {
  readonly flags: ParseArgsOptionsConfig;
  /** Takes words behind its name. */
  readonly words?: true;
  /** Loaded when it is called: `check` need not load what `start` needs. */
  run(settings: Settings, words: readonly string[], flags: KeyFlags): Promise<void>;
}

const { config, data, host, port, 'allowed-hosts': allowedHosts, url } = SETTING_FLAGS;

const COMMANDS: Readonly<Record<string, Command>> = {
  start: {
    flags: { config, data, host, port, 'allowed-hosts': allowedHosts },
    run: async (settings) => (await import('./commands/start.ts')).start(settings),
  },
  check: {
    flags: { config },
    run: async (settings) => (await import('./commands/check.ts')).check(settings),
  },
  apply: {
    flags: { config, data, url },
    run: async (settings) => (await import('./commands/apply.ts')).apply(settings),
  },
  keys: {
    flags: { data, url, ...KEY_FLAGS },
    words: true,
    run: async (settings, words, flags) => (await import('./commands/keys.ts')).keys(settings, words, flags),
  },
  import: {
    flags: {},
    words: true,
    run: async (_settings, words) => (await import('./commands/import.ts')).importServers(words),
  },
  doctor: {
    flags: { config, data, host, port },
    run: async (settings) => (await import('./commands/doctor.ts')).doctor(settings),
  },
};

/** @returns the exit code: 0, 1 for what went wrong, 2 for a wrong command line or configuration */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  try {
    const [name, ...rest] = words;
    if (name === undefined || name === 'help' || words.includes('--help') || words.includes('-h')) {
      console.log(USAGE);
      return name === undefined ? 2 : 0;
    }
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) throw new Complaint(unknown('command', name, Object.keys(COMMANDS)), 2);
    const { flags, positionals } = parseFlags(command, rest);
    await command.run(readSettings(flags, process.env), positionals, flags);
    return 0;
  } catch (error) {
    if (!(error instanceof Complaint)) throw error;
    console.error(error.message);
    return error.exitCode;
  }
}

function parseFlags(command: Command, words: readonly string[]): { flags: Flags & KeyFlags; positionals: string[] } {
  const names = Object.keys(command.flags);
  const { tokens } = parseArgs({
    args: [...words],
    options: command.flags,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'option' && !names.includes(token.name)) {
      throw new Complaint(
        unknown(
          'flag',
          token.rawName,
          names.map((flag) => `--${flag}`),
        ),
        2,
      );
    }
    if (token.kind === 'positional' && command.words === undefined) {
      throw new Complaint(`"${token.value}" is not expected here; see sallyport --help`, 2);
    }
  }
  try {
    const { values, positionals } = parseArgs({ args: [...words], options: command.flags, allowPositionals: true });
    return { flags: values, positionals };
  } catch (error) {
    // What is left is a flag without its value.
    throw new Complaint(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error), 2);
  }
}

function unknown(kind: string, name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return `unknown ${kind} "${name}"${meant === undefined ? '; see sallyport --help' : `; did you mean "${meant}"?`}`;
}
