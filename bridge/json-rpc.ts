// JSON-RPC 2.0 as MCP uses it, as far as a relay must understand it.

export type RpcId = string | number;
export type JsonObject = { readonly [key: string]: unknown };

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
interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}
export interface RpcResponse {
  readonly jsonrpc: '2.0';
  /** `null` where the request's own id could not be read. */
  readonly id: RpcId | null;
  readonly result?: unknown;
  readonly error?: RpcError;
}
export type RpcMessage = RpcRequest | RpcNotification | RpcResponse;

export const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
export const INTERNAL_ERROR = -32603;
export const PARSE_ERROR = -32700;

const PROTOCOL_VERSION_META = 'io.modelcontextprotocol/protocolVersion';
export const SUBSCRIPTION_ID_META = 'io.modelcontextprotocol/subscriptionId';

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The message held by a parsed JSON text, or undefined where it is none. */
export function toMessage(value: unknown): RpcMessage | undefined {
  if (!isObject(value) || value['jsonrpc'] !== '2.0') return undefined;
  const { id, method, params } = value;
  if (method !== undefined) {
    if (typeof method !== 'string' || (params !== undefined && !isObject(params))) return undefined;
    // A relay passes on members it does not know, hence the whole value and not a copy of the known ones.
    if (id === undefined || typeof id === 'string' || typeof id === 'number') return value as unknown as RpcMessage;
    return undefined;
  }
  if (typeof id !== 'string' && typeof id !== 'number' && id !== null) return undefined;
  const { error } = value;
  const isError = isObject(error) && typeof error['code'] === 'number' && typeof error['message'] === 'string';
  return isError !== 'result' in value ? (value as unknown as RpcResponse) : undefined;
}

export function isRequest(message: RpcMessage): message is RpcRequest {
  return 'method' in message && 'id' in message;
}

export function isNotification(message: RpcMessage): message is RpcNotification {
  return 'method' in message && !('id' in message);
}

export function metaOf(params: JsonObject | undefined): JsonObject {
  const meta = params?.['_meta'];
  return isObject(meta) ? meta : {};
}

/** Whether a message carries the per-request envelope of 2026-07-28, and so belongs to no session. */
export function isModern(message: RpcMessage): boolean {
  return 'method' in message && typeof metaOf(message.params)[PROTOCOL_VERSION_META] === 'string';
}

/** The same object with one member of its `_meta` set. */
export function withMeta(holder: JsonObject | undefined, key: string, value: unknown): JsonObject {
  return { ...holder, _meta: { ...metaOf(holder), [key]: value } };
}

export function errorResponse(id: RpcId | null, code: number, message: string, data?: unknown): RpcResponse {
  return { jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } };
}
