import type { UpstreamHealthRpc } from '../../../durable-objects/contracts.ts';
import type { Env } from '../../env.ts';
import type { HealthRecords } from '../../health/report.ts';

export function upstreamHealth(env: Pick<Env, 'UPSTREAM_HEALTH'>, upstream: string): UpstreamHealthRpc {
  // The mapped type of a stub does not end on the recursive JSON types of the protocol; its contract says the same.
  return env.UPSTREAM_HEALTH.get(env.UPSTREAM_HEALTH.idFromName(upstream)) as unknown as UpstreamHealthRpc;
}

export function createHealthRecords(env: Pick<Env, 'UPSTREAM_HEALTH'>): HealthRecords {
  return {
    peek: (upstream) => upstreamHealth(env, upstream).peek(),
    retire: (upstream) => upstreamHealth(env, upstream).retire(),
  };
}
