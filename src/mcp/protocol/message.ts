// JSON-RPC 2.0 messages as MCP uses them. They are relayed as they came: a type here names only what the gateway reads.
import { isObject, type JsonObject } from '../../lib/json-value.ts';

export type RpcId = string | number;

export interface RpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: RpcId;
  readonly method: string;
  readonly params?: JsonObject;
}

export interface RpcNotification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: JsonObject;
}

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** What a request comes to, without the id that only its own hop knows. */
export type RpcAnswer = { readonly result: JsonObject } | { readonly error: RpcError };

export type RpcResponse = RpcAnswer & { readonly jsonrpc: '2.0'; readonly id: RpcId | null };

/** A request or notification before it has an id, a progress token or an envelope of some hop. */
export interface Spoken {
  readonly method: string;
  readonly params?: JsonObject;
}

export function isRpcId(value: unknown): value is RpcId {
  return typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));
}

export function isRequest(message: unknown): message is RpcRequest {
  return isSpoken(message) && 'id' in message && isRpcId(message.id);
}

export function isNotification(message: unknown): message is RpcNotification {
  return isSpoken(message) && !('id' in message);
}

export function isResponse(message: unknown): message is RpcResponse {
  if (!isObject(message) || message['jsonrpc'] !== '2.0' || 'method' in message) return false;
  if (message['id'] !== null && !isRpcId(message['id'])) return false;
  const { error } = message;
  if (error === undefined) return isObject(message['result']);
  return isObject(error) && Number.isInteger(error['code']) && typeof error['message'] === 'string';
}

export function responseTo(id: RpcId | null, answer: RpcAnswer): RpcResponse {
  return { jsonrpc: '2.0', id, ...answer };
}

function isSpoken(message: unknown): message is JsonObject & { jsonrpc: '2.0'; method: string } {
  if (!isObject(message) || message['jsonrpc'] !== '2.0' || typeof message['method'] !== 'string') return false;
  return message['params'] === undefined || isObject(message['params']);
}
