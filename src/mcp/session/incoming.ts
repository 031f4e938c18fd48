// What a POST holds, told apart.
import { isNotification, isRequest, isResponse } from '../protocol/message.ts';
import type { RpcNotification, RpcRequest, RpcResponse } from '../protocol/message.ts';

/** Of one POST (2025-03-26, "Batching"). */
const MOST_MESSAGES = 100;

export interface Incoming {
  readonly requests: readonly RpcRequest[];
  readonly notifications: readonly RpcNotification[];
  readonly responses: readonly RpcResponse[];
}

/** @param body one message or an array of them */
export function sortMessages(body: unknown): Incoming | 'invalid_message' | 'too_many_messages' {
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  if (messages.length > MOST_MESSAGES) return 'too_many_messages';
  const requests = messages.filter(isRequest);
  const notifications = messages.filter(isNotification);
  const responses = messages.filter(isResponse);
  const known = requests.length + notifications.length + responses.length;
  if (messages.length === 0 || known < messages.length) return 'invalid_message';
  return { requests, notifications, responses };
}
