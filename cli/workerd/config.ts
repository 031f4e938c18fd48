// Writes workerd's configuration: the same bindings that wrangler.toml describes, on the disks of this machine.
import { authority } from '../settings.ts';
import type { DataFolder } from '../data/folder.ts';

export interface WorkerdLayout {
  readonly folder: DataFolder;
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: string | undefined;
  readonly bridgePort: number;
  readonly worker: WorkerDescription;
}

export interface WorkerDescription {
  readonly compatibilityDate: string;
  readonly durableObjects: readonly { readonly binding: string; readonly className: string }[];
}

/** The secrets reach the worker through the environment, so that no file holds them. */
export const SECRET_BINDINGS = ['SALLYPORT_ADMIN_TOKEN', 'SALLYPORT_MASTER_KEY', 'SALLYPORT_BRIDGE_SECRET'] as const;

/** @param toml this project's own wrangler.toml, whose layout is known */
export function describeWorker(toml: string): WorkerDescription {
  const compatibilityDate = /^compatibility_date = "([\d-]+)"$/m.exec(toml)?.[1];
  const bindings = toml.matchAll(/^\[\[durable_objects\.bindings\]\]\nname = "(\w+)"\nclass_name = "(\w+)"$/gm);
  const durableObjects = Array.from(bindings, ([, binding = '', className = '']) => ({ binding, className }));
  if (compatibilityDate === undefined || durableObjects.length === 0) {
    throw new Error('wrangler.toml has no compatibility_date or no Durable Objects');
  }
  return { compatibilityDate, durableObjects };
}

/** Cap'n Proto text for `workerd serve`; its `embed`s are files beside it. */
export function workerdConfig({ folder, host, port, allowedHosts, bridgePort, worker }: WorkerdLayout): string {
  const { compatibilityDate, durableObjects } = worker;
  const bindings = [
    ...durableObjects.map(({ binding, className }) => `(name = "${binding}", durableObjectNamespace = "${className}")`),
    ...SECRET_BINDINGS.map((name) => `(name = "${name}", fromEnvironment = "${name}")`),
    ...(allowedHosts === undefined ? [] : [`(name = "SALLYPORT_ALLOWED_HOSTS", text = ${text(allowedHosts)})`]),
    '(name = "BRIDGE", service = "bridge")',
    '(name = "OPERATOR_NETWORK", service = "operator-network")',
    '(name = "DB", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [(name = "fetcher", service = "d1")]))',
  ];
  // The keys are those that wrangler uses, so that both find the same objects.
  const namespaces = durableObjects.map(
    ({ className }) => `(className = "${className}", uniqueKey = "sallyport-${className}", enableSql = true)`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "gateway", worker = .gateway),
    (name = "d1", worker = .d1),
    (name = "objects-disk", disk = (path = ${text(folder.objects)}, writable = true)),
    (name = "d1-disk", disk = (path = ${text(folder.database)}, writable = true)),
    (name = "bridge", external = (address = "127.0.0.1:${bridgePort}", http = ())),
    (name = "public-network", network = (allow = ["public"], tlsOptions = (trustBrowserCas = true))),
    (name = "operator-network", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = ${text(authority(host, port))}, http = (), service = "gateway")],
  # MiB. A smaller young generation is collected so often that a tool call costs a fifth more CPU; the default of twice
  # this saves little more and lets the longest pauses grow.
  v8Flags = ["--max-semi-space-size=8"],
  logging = (structuredLogging = true),
);

const gateway :Workerd.Worker = (
  modules = [(name = "gateway.js", esModule = embed "gateway.js")],
  compatibilityDate = "${compatibilityDate}",
  globalOutbound = "public-network",
  bindings = [
    ${bindings.join(',\n    ')},
  ],
  durableObjectNamespaces = [
    ${namespaces.join(',\n    ')},
  ],
  durableObjectStorage = (localDisk = "objects-disk"),
);

const d1 :Workerd.Worker = (
  modules = [(name = "d1.js", esModule = embed "d1.js")],
  compatibilityDate = "${compatibilityDate}",
  globalOutbound = "public-network",
  bindings = [(name = "DATABASE", durableObjectNamespace = "D1Database")],
  durableObjectNamespaces = [(className = "D1Database", uniqueKey = "D1Database", enableSql = true)],
  durableObjectStorage = (localDisk = "d1-disk"),
);
`;
}

/** A Cap'n Proto text literal: as in C, every byte may be written as \\xHH. */
function text(value: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly the control characters are to be escaped
  return `"${value.replace(/[\x00-\x1f"\\\x7f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
}
