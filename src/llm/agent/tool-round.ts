// Running what one turn of the model asks for.
import { PARALLEL_TOOL_CALLS } from './limits.ts';
import { bounded, toolError } from './tool-result.ts';
import type { Toolbox, ToolCallContext, ToolRun, ToolUse } from './toolbox.ts';

/** All at the same time, up to a bound; in the order asked for. A call that fails is told to the model. */
export async function runTools(
  toolbox: Toolbox,
  uses: readonly ToolUse[],
  context: ToolCallContext,
): Promise<readonly ToolRun[]> {
  const runs: ToolRun[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < uses.length; index = next++) {
      const use = uses[index];
      if (use === undefined || context.signal.aborted) return;
      const outcome = await toolbox.call(use, context);
      runs[index] = { use, answer: outcome.ok ? bounded(outcome.value) : toolError(outcome.error.message) };
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL_TOOL_CALLS, uses.length) }, work));
  context.signal.throwIfAborted();
  return runs;
}
