// Starts every fixture upstream and hands their addresses to the tests that run in workerd.
import type { TestProject } from 'vitest/node';
import './provided-context.ts';
import { startBookshop } from './openapi-api.ts';
import { startProviderFake } from './provider-fake.ts';
import { startChangingUpstream } from './upstream-changing.ts';
import { startDualEraUpstream } from './upstream-dual-era.ts';
import { startEverythingUpstream } from './upstream-everything.ts';
import { startLegacyUpstream } from './upstream-legacy.ts';
import { startMisbehavingUpstream } from './upstream-misbehaving.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';

export async function startUpstreams(project: TestProject): Promise<() => Promise<void>> {
  const [changing, dualEra, legacy, misbehaving, everything, providerFake, bookshop, webhooks] = await Promise.all([
    startChangingUpstream(),
    startDualEraUpstream(),
    startLegacyUpstream(),
    startMisbehavingUpstream(),
    startEverythingUpstream(),
    startProviderFake(),
    startBookshop(),
    startWebhookReceiver(),
  ]);
  project.provide('changingUrl', changing.url);
  project.provide('dualEraUrl', dualEra.url);
  project.provide('legacyUrl', legacy.url);
  project.provide('misbehavingUrl', misbehaving.url);
  project.provide('everythingUrl', everything.url);
  project.provide('providerFakeUrl', providerFake.url);
  project.provide('bookshopUrl', bookshop.url);
  project.provide('webhookUrl', webhooks.url);
  return async () => {
    const fixtures = [changing, dualEra, legacy, misbehaving, everything, providerFake, bookshop, webhooks];
    await Promise.all(fixtures.map((fixture) => fixture.stop()));
  };
}
