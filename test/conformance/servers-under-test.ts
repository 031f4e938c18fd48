// The gateway in front of both fixtures, and the ways in.
import { startGateway } from '../support/gateway-process.ts';
import type { Fixture } from '../support/fixture-http.ts';
import { startLegacyUpstream } from '../support/upstream-legacy.ts';
import { startFixtureV1 } from './fixture-v1.ts';
import { startFixtureV2 } from './fixture-v2.ts';
import { startHeaderProxy } from './header-proxy.ts';
import { renamingShim } from './renaming-shim.ts';

export type FixtureName = 'fixture-v2' | 'fixture-v1';
export type Way = 'direct' | '/mcp/<server>' | '/mcp';

export interface ServersUnderTest {
  url(fixture: FixtureName, way: Way): string;
  stop(): Promise<void>;
}

const STARTS = { 'fixture-v2': startFixtureV2, 'fixture-v1': startFixtureV1 } as const;

/** The key sees a second server beside the fixture, so that lists are merged and names are routed. */
function configFor(fixture: FixtureName, fixtureUrl: string, otherUrl: string, key: string): string {
  return `mcp:
  servers:
    - { name: ${fixture}, type: http, url: "${fixtureUrl}/mcp" }
    - { name: other, type: http, url: "${otherUrl}/mcp" }
virtual_keys:
  - key_name: suite
    key: ${key}
    mcp_clients:
      - { name: ${fixture}, allowed_tools: ["*"] }
      - { name: other, allowed_tools: ["*"] }
`;
}

/** The fixture behind the gateway and the one met directly are two: neither run sees what the other changes. */
async function startOne(name: FixtureName): Promise<{ url(way: Way): string; stop(): Promise<void> }> {
  const key = 'vk-conformance-suite';
  const [direct, behind, other] = await Promise.all([STARTS[name](), STARTS[name](), startLegacyUpstream()]);
  const gateway = await startGateway({ config: configFor(name, behind.url, other.url, key) });
  const plain = await startHeaderProxy({ target: gateway.url, key });
  const renaming = await startHeaderProxy({ target: gateway.url, key, filter: renamingShim(name) });
  const fixtures: readonly Fixture[] = [direct, behind, other, plain, renaming];
  const urls: Readonly<Record<Way, string>> = {
    direct: `${direct.url}/mcp`,
    '/mcp/<server>': `${plain.url}/mcp/${name}`,
    '/mcp': `${renaming.url}/mcp`,
  };
  return {
    url: (way) => urls[way],
    stop: async () => {
      await gateway.discard();
      await Promise.all(fixtures.map((fixture) => fixture.stop()));
    },
  };
}

export async function startServersUnderTest(): Promise<ServersUnderTest> {
  const [v2, v1] = await Promise.all([startOne('fixture-v2'), startOne('fixture-v1')]);
  const started = { 'fixture-v2': v2, 'fixture-v1': v1 };
  return {
    url: (fixture, way) => started[fixture].url(way),
    stop: async () => void (await Promise.all([v2.stop(), v1.stop()])),
  };
}
