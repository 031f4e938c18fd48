// The compiled, read-only view of the configuration that each isolate holds in memory. Types only: `config/` compiles
// it, `stores/` refreshes it, the engines read it. Secrets are in clear here and nowhere else.
import type { ProviderDocument, SettingsDocument, UpstreamDocument } from '../config/document.ts';
import type { Principal } from '../auth/principal.ts';
import type { Limit } from '../budget/limits.ts';

/** Exact names, `*`, or a trailing `*`. Empty means nothing is allowed. */
export type NamePatterns = readonly string[];

/** Upstream name → what is granted of it. An upstream that is not in a map is denied. */
export interface McpGrants {
  readonly tools: ReadonlyMap<string, NamePatterns>;
  /** URIs, and URI templates as they are written. */
  readonly resources: ReadonlyMap<string, NamePatterns>;
  readonly prompts: ReadonlyMap<string, NamePatterns>;
}

/** Its grants are `mcp_clients` and `tool_groups` united. */
export interface VirtualKey extends McpGrants {
  readonly principal: Principal;
  /** Milliseconds since the epoch; absent means never. */
  readonly expiresAt?: number;
  readonly disabled: boolean;
  readonly mode: 'direct' | 'search' | 'code' | 'auto';
  /** Whether calls of models are given the key's tools without asking for them. */
  readonly injectTools?: boolean;
  /** The key's own tool groups, each an endpoint of its own. */
  readonly toolGroups: readonly string[];
  /** Provider name → models. A provider that is not in it is denied. */
  readonly providers: ReadonlyMap<string, ProviderGrant>;
  /** Absent where nothing bounds the key. */
  readonly limits?: KeyLimits;
}

/** What bounds a key, each list ordered by tier. `policy/charge-plans.ts` makes plans of it. */
export interface KeyLimits {
  /** Of its customer, its team and itself. */
  readonly own: readonly Limit[];
  /** By provider name. */
  readonly providers: ReadonlyMap<string, readonly Limit[]>;
  /** By server name; a limit with a `tool` is for the tools that match it. */
  readonly mcpClients: ReadonlyMap<string, readonly Limit[]>;
}

export interface ProviderGrant {
  readonly models: NamePatterns;
  readonly weight: number;
}

export type Upstream = UpstreamDocument & {
  /** Changes whenever anything of the definition does, secrets included; reveals nothing of them. */
  readonly fingerprint: string;
  /** Of all keys together; absent where nothing bounds it. A limit with a `tool` is for the tools that match it. */
  readonly limits?: readonly Limit[];
};
export type Provider = Omit<ProviderDocument, 'type'> & { readonly type: string };
export type ToolGroup = McpGrants;

export interface PolicySnapshot {
  /** Counts every change of the configuration; equal revisions are equal configurations. */
  readonly revision: number;
  /** By the keyed hash of the key (`auth/virtual-key.ts`). */
  readonly virtualKeys: ReadonlyMap<string, VirtualKey>;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly toolGroups: ReadonlyMap<string, ToolGroup>;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly settings: SettingsDocument;
}
