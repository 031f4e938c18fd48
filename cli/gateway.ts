// One running gateway: the bridge and workerd as supervised children, from the first start to the last one gone.
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../bridge/log.ts';
import type { LogSink } from './child-log.ts';
import { Complaint } from './complaint.ts';
import type { DataFolder } from './data/folder.ts';
import type { OwnSecrets } from './data/secrets.ts';
import { baseUrl } from './settings.ts';
import { superviseBridge } from './supervision/bridge.ts';
import { holdRequest } from './supervision/drain.ts';
import { superviseRuntime } from './supervision/runtime.ts';
import type { Supervised } from './supervision/supervised.ts';
import { answers, watchHealth } from './supervision/watchdog.ts';
import { workerBundle } from './workerd/bundle.ts';
import { describeWorker, workerdConfig } from './workerd/config.ts';

const START_DEADLINE_MS = 30_000;
const POLL_MS = 25;
/** A runtime that ended this often without ever answering will not answer. */
const HOPELESS_FAILURES = 3;
const DRAIN_MS = 10_000;
const BRIDGE_STOP_MS = 5_000;

export interface GatewayOptions {
  /** The folder of package.json. */
  readonly project: string;
  readonly folder: DataFolder;
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: string | undefined;
  readonly secrets: OwnSecrets;
  readonly sink: LogSink;
  readonly log: Log;
}

export class Gateway {
  readonly url: string;
  readonly #options: GatewayOptions;
  /** What undoes each step of the start, the first step first. */
  readonly #undo: (() => Promise<void> | void)[] = [];
  #stopping = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.url = baseUrl(options.host, options.port);
  }

  /** Resolves when the gateway answers. @throws Complaint when it does not within half a minute */
  async start(): Promise<void> {
    const { project, folder, secrets, sink, log } = this.#options;
    const bridgeSecret = randomBytes(32).toString('base64url');
    sink.filter.know([secrets.adminToken, secrets.masterKey, bridgeSecret]);
    const bridge = superviseBridge({ project, secret: bridgeSecret, sink, log });
    this.#undo.push(() => bridge.process.stop(BRIDGE_STOP_MS));

    const configFile = await this.#writeRunFolder(await bridge.port);
    if (this.#stopping) return;
    const runtime = superviseRuntime({
      configFile,
      folder,
      secrets: {
        SALLYPORT_ADMIN_TOKEN: secrets.adminToken,
        SALLYPORT_MASTER_KEY: secrets.masterKey,
        SALLYPORT_BRIDGE_SECRET: bridgeSecret,
      },
      sink,
      log,
    });
    this.#undo.push(() => this.#drain(runtime));

    await this.#untilHealthy(runtime);
    const watchdog = watchHealth({
      url: `${this.url}/healthz`,
      pid: () => runtime.pid,
      onSilent: () => {
        log('error', 'gateway.silent', { action: 'killed, to be started again' });
        runtime.kill();
      },
    });
    this.#undo.push(() => watchdog.stop());
  }

  /** Drains what is in flight, at most ten seconds, and leaves no process behind. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) await undo();
  }

  async #drain(runtime: Supervised): Promise<void> {
    const letGo = await holdRequest(this.url, this.#options.secrets.adminToken);
    await Promise.all([runtime.stop(DRAIN_MS), letGo(DRAIN_MS)]);
  }

  async #writeRunFolder(bridgePort: number): Promise<string> {
    const { project, folder, host, port, allowedHosts, log } = this.#options;
    const { files, builtNow, notKept } = await workerBundle(project);
    if (builtNow) log('info', 'worker.bundled', { not_kept: notKept });
    for (const [name, content] of files) await writeFile(join(folder.run, name), content);
    const worker = describeWorker(await readFile(join(project, 'wrangler.toml'), 'utf8'));
    const configFile = join(folder.run, 'workerd.capnp');
    await writeFile(configFile, workerdConfig({ folder, host, port, allowedHosts, bridgePort, worker }));
    return configFile;
  }

  async #untilHealthy(runtime: Supervised): Promise<void> {
    const deadline = performance.now() + START_DEADLINE_MS;
    while (!(await answers(`${this.url}/healthz`, 1_000))) {
      if (this.#stopping) return;
      if (runtime.failures >= HOPELESS_FAILURES || performance.now() > deadline) {
        throw new Complaint('the gateway did not start; the lines above say why');
      }
      await new Promise((resolve) => {
        setTimeout(resolve, POLL_MS);
      });
    }
  }
}
