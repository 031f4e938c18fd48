// A legacy client's session, as the relay sees it.
import type { JsonObject, RpcMessage } from './json-rpc.ts';

/** The open response of a GET: carries what belongs to no request. */
export interface PushStream {
  send(message: RpcMessage): void;
  close(): void;
}

export interface Session {
  readonly id: string;
  /** What its client said it can be asked. */
  readonly capabilities: JsonObject;
  /** The newest last; a message goes to one of them only. */
  readonly streams: Set<PushStream>;
  /** Resources this client subscribed to, by URI. */
  readonly subscriptions: Set<string>;
}

/** Sends on the session's newest stream; false when none is open. */
export function push(session: Session, message: RpcMessage): boolean {
  const stream = [...session.streams].at(-1);
  stream?.send(message);
  return stream !== undefined;
}
