// `sallyport start`: from a configuration file to a running gateway, until a signal ends it.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { jsonLog } from '../../bridge/log.ts';
import { AdminClient, type AppliedConfig } from '../admin-client.ts';
import { SecretFilter, secretsOf } from '../child-log.ts';
import { Complaint } from '../complaint.ts';
import { exampleValues } from '../config/example-values.ts';
import { parseConfig, type LoadedConfig } from '../config/load.ts';
import { problemLines, readConfig, shortPath } from '../config/read.ts';
import { writeStarter } from '../config/starter.ts';
import { watchFile, type FileWatch } from '../config/watch.ts';
import { openDataFolder } from '../data/folder.ts';
import { awaitLeftovers } from '../data/leftovers.ts';
import { lockDataFolder } from '../data/lock.ts';
import { ownSecrets, type OwnSecrets } from '../data/secrets.ts';
import { Gateway } from '../gateway.ts';
import { freePort } from '../port.ts';
import { PROJECT } from '../project.ts';
import { changeList, claudeLine, generatedKeyLines, serverTable } from '../report.ts';
import { warningLines } from './warnings.ts';
import { isLoopback, type Settings } from '../settings.ts';
import { stopSignal } from '../stop-signal.ts';
import { triedServers } from './tried-servers.ts';

/** @throws Complaint for whatever the user can put right */
export async function start(settings: Settings): Promise<void> {
  const stopped = stopSignal();
  const { configFile, host } = settings;
  if (!existsSync(configFile)) {
    await writeStarter(configFile);
    console.log(`wrote ${shortPath(configFile)}: a configuration to begin with, made to be changed`);
  }
  const { text, config } = await readConfig(configFile);
  const folder = await openDataFolder(settings.dataFolder);
  const lock = lockDataFolder(folder);
  try {
    const secrets = await ownSecrets(folder, process.env);
    if (secrets.adminTokenIsNew) {
      console.log(`admin token, shown this once and kept in ${shortPath(folder.adminToken)}: ${secrets.adminToken}`);
    }
    refuseExamples(host, config, secrets);
    await awaitLeftovers(folder);
    const port = await freePort(host, settings.port);
    const filter = new SecretFilter();
    const gateway = new Gateway({
      project: PROJECT,
      folder,
      host,
      port,
      allowedHosts: settings.allowedHosts,
      secrets,
      sink: { filter, write: writeLog },
      log: jsonLog('info', writeLog),
    });
    const session = new Session({ settings, gateway, secrets, filter });
    try {
      await Promise.race([session.run(text, config), stopped]);
    } finally {
      session.close();
      await gateway.stop();
    }
  } finally {
    lock.release();
  }
}

interface SessionOptions {
  readonly settings: Settings;
  readonly gateway: Gateway;
  readonly secrets: OwnSecrets;
  readonly filter: SecretFilter;
}

/** The gateway together with the file it is configured by. */
class Session {
  readonly #options: SessionOptions;
  readonly #admin: AdminClient;
  #watch: FileWatch | undefined;
  #specWatches: readonly FileWatch[] = [];
  #shownWarnings = '';
  #turn = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#admin = new AdminClient(options.gateway.url, options.secrets.adminToken);
  }

  /** Does not resolve by itself once the gateway is ready. */
  async run(text: string, config: LoadedConfig): Promise<never> {
    const { gateway, settings } = this.#options;
    await gateway.start();
    const applied = await this.#apply(config);
    await this.#report(config, applied);
    // Changed since it was read: the watch sees a difference to `text`, and applies it.
    this.#watch = watchFile(settings.configFile, text, (changed) => this.#changed(changed));
    this.#watchSpecs(config);
    console.log(`sallyport ready ${gateway.url}`);
    return new Promise(() => {});
  }

  close(): void {
    for (const watch of [this.#watch, ...this.#specWatches]) watch?.stop();
  }

  #watchSpecs({ specFiles }: LoadedConfig): void {
    for (const watch of this.#specWatches) watch.stop();
    const { configFile } = this.#options.settings;
    this.#specWatches = Array.from(specFiles, ([file, content]) =>
      watchFile(file, content, async () => {
        // When it is gone for a moment, its return is told by its own watch.
        const text = await readFile(configFile, 'utf8').catch(() => undefined);
        if (text !== undefined) await this.#changed(text);
      }),
    );
  }

  /** One after the other, whichever file changed. */
  #changed(text: string): Promise<void> {
    this.#turn = this.#turn.then(() => this.#reapply(text));
    return this.#turn;
  }

  #apply(config: LoadedConfig): Promise<AppliedConfig> {
    this.#options.filter.know([...secretsOf(config.document), ...config.filledIn]);
    return this.#admin.apply(config.document);
  }

  async #report(config: LoadedConfig, applied: AppliedConfig): Promise<void> {
    const servers = await triedServers(this.#admin);
    if (servers.length > 0) console.log(`\n${serverTable(servers)}`);
    const names = (await this.#admin.keys()).map(({ key_name: name }) => name);
    console.log(`\nvirtual keys: ${names.join(', ') || 'none'}`);
    for (const line of generatedKeyLines(applied)) console.log(line);
    const known =
      config.document.virtual_keys.find(({ key }) => key !== undefined)?.key ?? applied.generated_keys[0]?.key;
    console.log(`\nTo connect Claude Code:\n${claudeLine(this.#options.gateway.url, known)}\n`);
    this.#warn(config, applied);
  }

  async #reapply(text: string): Promise<void> {
    const { settings, secrets } = this.#options;
    const file = shortPath(settings.configFile);
    try {
      const parsed = parseConfig(text, process.env, dirname(settings.configFile));
      if (!parsed.ok) throw new Complaint(problemLines(settings.configFile, parsed.error), 2);
      refuseExamples(settings.host, parsed.value, secrets);
      const applied = await this.#apply(parsed.value);
      this.#watchSpecs(parsed.value);
      console.log(`${file} applied: ${changeList(applied)}`);
      for (const line of generatedKeyLines(applied)) console.log(line);
      this.#warn(parsed.value, applied);
    } catch (error) {
      console.error(error instanceof Complaint ? error.message : error);
      console.error(`${file} not applied: the gateway goes on with the configuration it had`);
    }
  }

  /** Once for as long as they stay the same. */
  #warn(config: LoadedConfig, applied: AppliedConfig): void {
    const lines = warningLines(this.#options.settings.configFile, config, applied).join('\n');
    if (lines !== '' && lines !== this.#shownWarnings) console.log(lines);
    this.#shownWarnings = lines;
  }
}

function refuseExamples(host: string, { document }: LoadedConfig, secrets: OwnSecrets): void {
  if (isLoopback(host)) return;
  const examples = exampleValues(document, secrets.adminToken);
  if (examples.length === 0) return;
  throw new Complaint(
    `refused to listen on ${host}: ${examples.join(' and ')} is a value that stands in public examples; choose another or listen on 127.0.0.1`,
    2,
  );
}

function writeLog(line: string): void {
  process.stderr.write(line);
}
