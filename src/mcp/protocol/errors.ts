// JSON-RPC and MCP error codes, and the HTTP status that 2026-07-28 gives to some of them.
import type { RpcAnswer } from './message.ts';

export const RPC = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** Of the legacy eras; 2026-07-28 says `invalidParams` instead. */
  resourceNotFound: -32002,
  /** 2026-07-28, transports: a header contradicts the body or is missing. */
  headerMismatch: -32020,
  missingClientCapability: -32021,
  unsupportedProtocolVersion: -32022,
} as const;

export function rpcError(code: number, message: string, data?: unknown): Extract<RpcAnswer, { error: unknown }> {
  return { error: { code, message, ...(data !== undefined && { data }) } };
}

/** As 2026-07-28 has it; legacy answers are 200 whatever they hold. */
export function statusOf(answer: RpcAnswer): 200 | 400 | 404 {
  if (!('error' in answer)) return 200;
  switch (answer.error.code) {
    case RPC.methodNotFound:
      return 404;
    case RPC.headerMismatch:
    case RPC.missingClientCapability:
    case RPC.unsupportedProtocolVersion:
      return 400;
    default:
      return 200;
  }
}
