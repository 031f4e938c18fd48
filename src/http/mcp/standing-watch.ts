// A request that takes long is looked after: it ends with the key that made it.
import { describeFault, log } from '../../lib/log.ts';
import { RPC, rpcError } from '../../mcp/protocol/errors.ts';
import type { RpcAnswer } from '../../mcp/protocol/message.ts';
import type { Scope } from '../../mcp/scope.ts';

const LOOK_MS = 3_000;
const NOT_ALLOWED = rpcError(RPC.invalidRequest, 'This key may not use this endpoint any more.');

export interface StandingWatch {
  /** What the request's key may see now; undefined for nothing. */
  readonly resolveScope: () => Promise<Scope | undefined>;
  /** Called once, when it may see nothing. */
  readonly onLost: () => void;
}

/** The answer, or a refusal as soon as the key is no more. */
export async function whileAllowed(
  answered: Promise<RpcAnswer>,
  { resolveScope, onLost }: StandingWatch,
): Promise<RpcAnswer> {
  const lost = Promise.withResolvers<RpcAnswer>();
  const timer = setInterval(() => void look(), LOOK_MS);
  const look = async (): Promise<void> => {
    try {
      if ((await resolveScope()) !== undefined) return;
    } catch (fault) {
      // Without a configuration nobody may be answered.
      log('error', 'request.unjudged', { fault: describeFault(fault) });
    }
    clearInterval(timer);
    onLost();
    lost.resolve(NOT_ALLOWED);
  };
  try {
    return await Promise.race([answered, lost.promise]);
  } finally {
    clearInterval(timer);
  }
}
