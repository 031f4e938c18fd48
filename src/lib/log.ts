// Logs are events with a name and flat facts. What could carry a secret does not type-check.

type Fact = string | number | boolean | undefined;
type Forbidden =
  | 'body'
  | 'headers'
  | 'header'
  | 'authorization'
  | 'key'
  | 'token'
  | 'secret'
  | 'password'
  | 'arguments'
  | 'prompt';

export type LogFacts = { readonly [name: string]: Fact } & { readonly [name in Forbidden]?: never };

/** One JSON line through the runtime's console. `event` is `noun.verb`, such as `request.failed`. */
export function log(level: 'info' | 'warn' | 'error', event: string, facts: LogFacts = {}): void {
  const line = JSON.stringify({ event, ...facts });
  if (level === 'error') console.error(line);
  else if (level === 'warn') console.warn(line);
  else console.info(line);
}

/** Names a fault for a log line without trusting it to be an `Error`. */
export function describeFault(fault: unknown): string {
  return fault instanceof Error ? `${fault.name}: ${fault.message}` : typeof fault;
}
