// The servers by name, and the places for processes they share.
import type { Definition } from './definition.ts';
import type { Log } from './log.ts';
import { StdioServer } from './stdio-server.ts';
import type { ChildPlaces, ServerState } from './stdio-server.ts';

export class Registry {
  readonly #servers = new Map<string, StdioServer>();
  /** Servers that were redefined or removed and whose processes are not gone yet. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #places: ChildPlaces;
  readonly #log: Log;
  #taken = 0;
  #isStopping = false;

  constructor(maxChildren: number, log: Log) {
    this.#log = log;
    this.#places = {
      limit: maxChildren,
      take: () => {
        if (this.#taken >= maxChildren) return false;
        this.#taken += 1;
        return true;
      },
      free: () => {
        this.#taken -= 1;
      },
    };
  }

  /** Processes running, the ones being stopped among them. */
  get children(): number {
    return this.#taken;
  }

  find(name: string): StdioServer | undefined {
    return this.#servers.get(name);
  }

  /** Defines a server; another fingerprint ends what ran under the old definition, the same one changes nothing. */
  define(definition: Definition): void {
    const { name, fingerprint } = definition;
    const present = this.#servers.get(name);
    if (this.#isStopping || present?.definition.fingerprint === fingerprint) return;
    if (present !== undefined) void this.#retire(present, 'was redefined');
    this.#servers.set(name, new StdioServer(definition, this.#places, this.#log, this.#leaving.get(name)));
    this.#log('info', 'bridge.server.defined', { server: name, fingerprint, isolation: definition.isolation });
  }

  /** Stops and forgets a server; false when there is none of this name. */
  async remove(name: string): Promise<boolean> {
    const present = this.#servers.get(name);
    if (present === undefined) return false;
    this.#servers.delete(name);
    await this.#retire(present, 'was removed');
    return true;
  }

  states(): readonly ServerState[] {
    return [...this.#servers.values()].map((server) => server.state());
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const stopping = [...this.#servers.values()].map((server) => server.stop('was stopped with the bridge'));
    await Promise.all([...stopping, ...this.#leaving.values()]);
  }

  #retire(server: StdioServer, reason: string): Promise<void> {
    const { name } = server.definition;
    const gone = Promise.all([this.#leaving.get(name), server.stop(reason)]).then(() => undefined);
    this.#leaving.set(name, gone);
    return gone.finally(() => {
      if (this.#leaving.get(name) === gone) this.#leaving.delete(name);
    });
  }
}
