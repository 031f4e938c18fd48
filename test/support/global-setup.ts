import type { TestProject } from 'vitest/node';
import { startUpstreams } from './upstreams.ts';

/** Starts the loopback servers that tests in workerd talk to, and hands their addresses over by `provide`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stopUpstreams = await startUpstreams(project);
  return async () => {
    await stopUpstreams();
  };
}
