// What a caller is told of a limit without room.
import { failure, type Failure } from '../policy/failure.ts';
import type { Refusal } from './admission.ts';

/** @param _now milliseconds since the epoch */
export function refusalFailure({ limit }: Refusal, _now: number): Failure {
  return failure(
    limit.metric === 'cost' ? 'budget_exceeded' : 'rate_limited',
    `The limit of ${limit.name} leaves no room.`,
  );
}
