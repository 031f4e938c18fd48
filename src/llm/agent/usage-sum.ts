import { isObject } from '../../lib/json-value.ts';

/** Two usage objects of one dialect as one: counts added, wherever they stand; of anything else the later counts. */
export function summedUsage(earlier: unknown, later: unknown): unknown {
  if (typeof earlier === 'number' && typeof later === 'number') return earlier + later;
  if (later === undefined || later === null) return earlier ?? later;
  if (!isObject(earlier) || !isObject(later)) return later;
  const names = new Set([...Object.keys(earlier), ...Object.keys(later)]);
  return Object.fromEntries([...names].map((name) => [name, summedUsage(earlier[name], later[name])]));
}
