// What the configuration may say and this version does not do. Nobody may rely on a limit that is not there.
import type { ConfigPath, ConfigProblem } from './check.ts';
import { gatewayDocument, type GatewayDocument, type VirtualKeyDocument } from './document.ts';

interface Limited {
  readonly budgets?: readonly unknown[] | undefined;
  readonly rate_limit?: unknown;
}

export function unenforcedSettings(document: GatewayDocument): ConfigProblem[] {
  return [
    ...serverWarnings(document),
    ...codeModeWarnings(document),
    ...requestLimitWarnings(document),
    ...document.providers.flatMap(({ retries }, index) =>
      retries === undefined || retries === 0 ? [] : [ignored(['providers', index, 'retries'], 'retries are', 'made')],
    ),
    ...document.customers.flatMap((customer, index) => limitWarnings(customer, ['customers', index])),
    ...document.teams.flatMap((team, index) => limitWarnings(team, ['teams', index])),
    ...document.virtual_keys.flatMap((key, index) => keyWarnings(key, ['virtual_keys', index])),
  ];
}

function ignored(path: ConfigPath, what: string, done: string): ConfigProblem {
  return { path, message: `${what} accepted but not ${done} by this version` };
}

function serverWarnings(document: GatewayDocument): ConfigProblem[] {
  return document.mcp.servers.flatMap((server, index) => {
    const path = ['mcp', 'servers', index];
    const auth = server.type === 'stdio' ? undefined : server.auth;
    return [
      ...(server.tool_cost_usd === undefined
        ? []
        : [ignored([...path, 'tool_cost_usd'], 'the cost of tools is', 'counted')]),
      ...(auth === 'oauth' || auth === 'per_user_oauth'
        ? [
            {
              ...ignored([...path, 'auth'], `auth: ${auth} is`, 'served'),
              fix: 'until then give the server a token of its own in headers',
            },
          ]
        : []),
    ];
  });
}

function requestLimitWarnings({ limits }: GatewayDocument): ConfigProblem[] {
  // The default is no one's wish.
  if (limits.concurrent_requests === gatewayDocument.parse({}).limits.concurrent_requests) return [];
  return [ignored(['limits', 'concurrent_requests'], 'a limit of concurrent requests is', 'enforced')];
}

function codeModeWarnings(document: GatewayDocument): ConfigProblem[] {
  const { enabled, sandbox } = document.mcp.code_mode;
  const path = ['mcp', 'code_mode'];
  return [
    ...(enabled ? [{ path: [...path, 'enabled'], message: 'code mode has no effect yet in this version' }] : []),
    ...(sandbox === 'starlark'
      ? [{ path: [...path, 'sandbox'], message: 'sandbox: starlark means quickjs here' }]
      : []),
  ];
}

function keyWarnings(key: VirtualKeyDocument, path: ConfigPath): ConfigProblem[] {
  const mode = key.mode ?? 'direct';
  return [
    ...(mode === 'direct'
      ? []
      : [{ ...ignored([...path, 'mode'], `mode: ${mode} is`, 'served'), fix: 'tools are shown as in mode: direct' }]),
    ...(key.fallbacks === undefined || key.fallbacks.length === 0
      ? []
      : [ignored([...path, 'fallbacks'], 'fallbacks are', 'followed')]),
    ...limitWarnings(key, path),
    ...key.providers.flatMap((provider, index) => limitWarnings(provider, [...path, 'providers', index])),
  ];
}

function limitWarnings({ budgets, rate_limit: rateLimit }: Limited, path: ConfigPath): ConfigProblem[] {
  return [
    ...(budgets === undefined || budgets.length === 0
      ? []
      : [ignored([...path, 'budgets'], 'budgets are', 'enforced')]),
    ...(rateLimit === undefined ? [] : [ignored([...path, 'rate_limit'], 'a rate limit is', 'enforced')]),
  ];
}
