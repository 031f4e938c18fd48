// What the configuration may say and this version does not do. Nobody may rely on a limit that is not there.
import type { ConfigPath, ConfigProblem } from './check.ts';
import type { GatewayDocument, VirtualKeyDocument } from './document.ts';

export function unenforcedSettings(document: GatewayDocument): ConfigProblem[] {
  return [
    ...serverWarnings(document),
    ...codeModeWarnings(document),
    ...document.providers.flatMap(({ retries }, index) =>
      retries === undefined || retries === 0 ? [] : [ignored(['providers', index, 'retries'], 'retries are', 'made')],
    ),
    ...document.virtual_keys.flatMap((key, index) => keyWarnings(key, ['virtual_keys', index])),
  ];
}

function ignored(path: ConfigPath, what: string, done: string): ConfigProblem {
  return { path, message: `${what} accepted but not ${done} by this version` };
}

function serverWarnings(document: GatewayDocument): ConfigProblem[] {
  return document.mcp.servers.flatMap((server, index) => {
    const auth = server.type === 'stdio' ? undefined : server.auth;
    if (auth !== 'oauth' && auth !== 'per_user_oauth') return [];
    const problem = ignored(['mcp', 'servers', index, 'auth'], `auth: ${auth} is`, 'served');
    return [{ ...problem, fix: 'until then give the server a token of its own in headers' }];
  });
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
  ];
}
