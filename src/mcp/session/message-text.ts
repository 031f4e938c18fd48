import { describeFault, log } from '../../lib/log.ts';
import { RPC, rpcError } from '../protocol/errors.ts';
import { responseTo, type RpcId } from '../protocol/message.ts';

/** The message as JSON; undefined where it is nested deeper than the stack is. */
export function messageText(message: unknown): string | undefined {
  try {
    return JSON.stringify(message);
  } catch (fault) {
    log('warn', 'mcp.message.unwritable', { fault: describeFault(fault) });
    return undefined;
  }
}

/** The same of an answer: whoever waits for it gets an error in its place. */
export function answerText(id: RpcId, answer: unknown): string {
  const text = 'The answer cannot be written as JSON: it is nested too deeply.';
  return messageText(answer) ?? JSON.stringify(responseTo(id, rpcError(RPC.internalError, text)));
}
