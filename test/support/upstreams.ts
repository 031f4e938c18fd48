// Starts every fixture upstream and hands their addresses to the tests that run in workerd.
import type { TestProject } from 'vitest/node';
import './provided-context.ts';
import { startProviderFake } from './provider-fake.ts';
import { startDualEraUpstream } from './upstream-dual-era.ts';
import { startEverythingUpstream } from './upstream-everything.ts';
import { startLegacyUpstream } from './upstream-legacy.ts';
import { startMisbehavingUpstream } from './upstream-misbehaving.ts';

export async function startUpstreams(project: TestProject): Promise<() => Promise<void>> {
  const [dualEra, legacy, misbehaving, everything, providerFake] = await Promise.all([
    startDualEraUpstream(),
    startLegacyUpstream(),
    startMisbehavingUpstream(),
    startEverythingUpstream(),
    startProviderFake(),
  ]);
  project.provide('dualEraUrl', dualEra.url);
  project.provide('legacyUrl', legacy.url);
  project.provide('misbehavingUrl', misbehaving.url);
  project.provide('everythingUrl', everything.url);
  project.provide('providerFakeUrl', providerFake.url);
  return async () => {
    await Promise.all([dualEra, legacy, misbehaving, everything, providerFake].map((fixture) => fixture.stop()));
  };
}
