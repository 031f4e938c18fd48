// The load generator as a process of its own, kept for the whole run so that its code stays warm. One plan in, one
// result out, over the IPC channel.
import { runLoad, type LoadPlan } from './load-generator.ts';

process.on('message', (plan: LoadPlan) => {
  runLoad(plan).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
