// A stdio server as the bridge shows it: asleep, dying, or answering.
import { expect, it } from 'vitest';
import { createUpstreamNetwork } from '../../../../src/egress/upstream-network.ts';
import type { UpstreamNetwork } from '../../../../src/mcp/ports.ts';
import type { Upstream } from '../../../../src/policy/snapshot.ts';
import { probe, rig, toolCall } from './rig.ts';

const upstream: Upstream = {
  name: 'files',
  type: 'stdio',
  command: ['server'],
  isolation: 'shared',
  fingerprint: 'f1',
};

function bridged(answer: (request: Request) => Response): { network: UpstreamNetwork; probes: (string | null)[] } {
  const probes: (string | null)[] = [];
  const fetcher = {
    fetch: async (input: RequestInfo, init?: RequestInit) => {
      const request = new Request(input, init);
      probes.push(request.headers.get('x-sallyport-probe'));
      return answer(request);
    },
  } as unknown as Fetcher;
  return { network: createUpstreamNetwork({ BRIDGE: fetcher } as Parameters<typeof createUpstreamNetwork>[0]), probes };
}

const asleep = (): Response => new Response(null, { status: 204, headers: { 'x-sallyport-child': 'idle' } });
const dead = (): Response =>
  Response.json(
    { message: 'server exited with code 3', stderr_tail: ['opening /home/ann/db', 'fatal'] },
    { status: 503 },
  );

it.each([
  ['modern', { era: 'modern' }],
  ['legacy', { era: 'legacy' }],
  [
    'legacy, in a session',
    { era: 'legacy', session: { sessionId: 's', protocolVersion: '2025-11-25', capabilities: {} } },
  ],
  ['doubted', {}],
] as const)('is left asleep by a probe when it was known before: %s', async (_name, known) => {
  const { network, probes } = bridged(asleep);
  expect(await probe(upstream, { known }, network)).toMatchObject({ ok: true, asleep: true });
  expect(new Set(probes)).toEqual(new Set(['1']));
});

it('is woken by the first probe of all, and by every call', async () => {
  const { network, probes } = bridged(dead);
  await probe(upstream, {}, network);
  await rig(undefined, network).call(upstream, 'alice', toolCall('read'));
  expect(new Set(probes)).toEqual(new Set([null]));
});

it('tells its last words to the operator, not to the caller', async () => {
  const { network } = bridged(dead);
  const words = 'upstream "files" is not available: server exited with code 3';
  const outcome = await rig(undefined, network).call(upstream, 'alice', toolCall('read'));
  expect(outcome).toMatchObject({
    ok: false,
    error: { code: 'upstream_unavailable', message: words, detail: `${words}\nopening /home/ann/db\nfatal` },
  });
  const probed = await probe(upstream, {}, network);
  expect(probed).toMatchObject({ ok: false, stage: 'connect', message: `${words}\nopening /home/ann/db\nfatal` });
});
