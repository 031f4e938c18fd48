// workerd's configuration for a ledger in one process and its callers in others.
const COMPATIBILITY_DATE = '2026-11-17';
/** Speaks JavaScript RPC over the socket, and not HTTP. */
const RPC = 'http = (capnpConnectHost = "ledger.rpc:1")';
const V8_FLAGS = 'v8Flags = ["--max-semi-space-size=8"]';

export function stateConfig(port: number, socket: string, folder: string): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "state", worker = .state),
    (name = "d1", worker = .d1),
    (name = "objects-disk", disk = (path = "${folder}/objects", writable = true)),
    (name = "d1-disk", disk = (path = "${folder}/database", writable = true)),
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:${port}", http = (), service = "state"),
    (name = "door", address = "unix:${socket}", ${RPC}, service = (name = "state", entrypoint = "LedgerDoor")),
  ],
  ${V8_FLAGS},
);
const state :Workerd.Worker = (
  modules = [(name = "state.js", esModule = embed "state.js")],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  bindings = [
    (name = "BUDGET_LEDGER", durableObjectNamespace = "BudgetLedger"),
    (name = "DB", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [(name = "fetcher", service = "d1")])),
  ],
  durableObjectNamespaces = [(className = "BudgetLedger", uniqueKey = "sallyport-BudgetLedger", enableSql = true)],
  durableObjectStorage = (localDisk = "objects-disk"),
);
const d1 :Workerd.Worker = (
  modules = [(name = "d1.js", esModule = embed "d1.js")],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  bindings = [(name = "DATABASE", durableObjectNamespace = "D1Database")],
  durableObjectNamespaces = [(className = "D1Database", uniqueKey = "D1Database", enableSql = true)],
  durableObjectStorage = (localDisk = "d1-disk"),
);
`;
}

export function frontConfig(port: number, socket: string): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "front", worker = .front),
    (name = "ledger", external = (address = "unix:${socket}", ${RPC})),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "front")],
  ${V8_FLAGS},
);
const front :Workerd.Worker = (
  modules = [(name = "front.js", esModule = embed "front.js")],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  bindings = [(name = "LEDGER", service = "ledger")],
);
`;
}
