// What may be asked of spend, and the port by which it is asked.
import { z } from 'zod';
import { ok, type Result } from '../lib/result.ts';
import { DAY_MS, HOUR_MS, toTimeText } from '../lib/time.ts';
import type { Failure } from '../policy/failure.ts';
import { cursor, limit, parseParameters, refuseParameter, tag, TAG_NAME, text, time } from './query-parameters.ts';
import { hoursKeptFrom, keptFrom, LONGEST_RANGE_DAYS, SPEND_BUCKETS, type SpendBucket } from './spend-spans.ts';

/** Stands for the values of a tag that are not kept apart. No caller can send it: tags are of Latin-1. */
export const OTHER_TAG_VALUES = '…';

export const SPEND_GROUPS = [
  'customer', 'team', 'virtual_key', 'provider_config', 'kind', 'provider', 'model', 'server', 'tool',
] as const; // prettier-ignore
export type SpendGroup = (typeof SPEND_GROUPS)[number];

const SPEND_KINDS = ['llm.call', 'tool.call'] as const;
const DEFAULT_LIMIT = 100;
const DEFAULT_RANGE_MS = 30 * DAY_MS;
const DEFAULT_RANGE_BY_HOUR_MS = 7 * DAY_MS;
const TAG_GROUP = 'tag:';

const groups = text.transform((value, context) => {
  const wanted = value.split(',').map((term) => term.trim());
  const unknown = wanted.find((term) => !isGroup(term));
  const tags = wanted.filter((term) => term.startsWith(TAG_GROUP));
  const wrong =
    unknown !== undefined
      ? `must list any of ${SPEND_GROUPS.join(', ')} and ${TAG_GROUP}<name>, separated by commas`
      : new Set(wanted).size < wanted.length
        ? 'names a group twice'
        : tags.length > 1
          ? 'names two tags; spend is kept by one tag at a time'
          : undefined;
  if (wrong === undefined) return wanted;
  context.addIssue({ code: 'custom', message: wrong });
  return z.NEVER;
});

function isGroup(term: string): boolean {
  if (term.startsWith(TAG_GROUP)) return TAG_NAME.test(term.slice(TAG_GROUP.length));
  return (SPEND_GROUPS as readonly string[]).includes(term);
}

const FILTERS = {
  customer: text.optional(),
  team: text.optional(),
  /** Id or name of a virtual key. */
  key: text.optional(),
  kind: z.enum(SPEND_KINDS).optional(),
  provider: text.optional(),
  /** With or without its provider. */
  model: text.optional(),
  server: text.optional(),
  tool: text.optional(),
  tag: tag.optional(),
};

const QUERY = z.strictObject({
  group_by: groups.optional(),
  bucket: z.enum(SPEND_BUCKETS).optional(),
  /** From this moment on, and up to but not including that one. */
  from: time.optional(),
  to: time.optional(),
  ...FILTERS,
  cursor: cursor(1).optional(),
  limit: limit.default(DEFAULT_LIMIT),
});

export const SPEND_QUERY_PARAMETERS: readonly string[] = Object.keys(QUERY.shape);

export interface SpendQuery extends z.output<z.ZodObject<Omit<typeof FILTERS, 'tag'>>> {
  readonly groups: readonly SpendGroup[];
  /** The tag that is grouped by. */
  readonly tagGroup?: string;
  readonly tag?: { readonly key: string; readonly value?: string };
  readonly bucket?: SpendBucket;
  /** Milliseconds since the epoch: the beginning of an hour, or of a day where hours are no longer kept. */
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  /** How many items earlier pages held. */
  readonly offset: number;
}

export interface SpendItem {
  /** Of the bucket, milliseconds since the epoch. */
  readonly start?: number;
  /** By name of the group; null where the calls have none, as a tool call has no model. */
  readonly groups: Readonly<Record<string, string | null>>;
  readonly sums: Readonly<Record<string, number>>;
}

export interface SpendPage {
  /** Earliest bucket first, and within one the highest cost. */
  readonly items: readonly SpendItem[];
  readonly hasMore: boolean;
}

export interface SpendReader {
  read(query: SpendQuery): Promise<SpendPage>;
}

/**
 * Reads the parameters of a URL. The time asked for is widened to whole hours, to whole days where hours are no longer
 * kept, and cut to what is kept at all.
 * @param now milliseconds since the epoch
 */
export function parseSpendQuery(parameters: URLSearchParams, now: number): Result<SpendQuery, Failure> {
  const parsed = parseParameters(QUERY, parameters);
  if (!parsed.ok) return parsed;
  const { group_by: wanted = [], bucket, from, to, cursor: place, tag: tagFilter, ...rest } = parsed.value;
  const end = to ?? now;
  const begin = from ?? end - (bucket === 'hour' ? DEFAULT_RANGE_BY_HOUR_MS : DEFAULT_RANGE_MS);
  const wrong = rangeProblem(begin, end, { bucket, now, isOpen: to === undefined });
  if (wrong !== undefined) return refuseParameter(wrong.parameter, wrong.message);
  const tagGroup = wanted.find((term) => term.startsWith(TAG_GROUP))?.slice(TAG_GROUP.length);
  if (tagGroup !== undefined && tagFilter !== undefined && tagFilter.key !== tagGroup) {
    return refuseParameter('tag', 'is another tag than that of "group_by"; spend is kept by one tag at a time');
  }
  const start = Math.max(keptFrom(now), Math.floor(begin / unitAt(begin, now)) * unitAt(begin, now));
  const latest = Math.ceil((now + HOUR_MS) / HOUR_MS) * HOUR_MS;
  return ok({
    ...rest,
    groups: wanted.filter((term): term is SpendGroup => !term.startsWith(TAG_GROUP)),
    ...(tagGroup !== undefined && { tagGroup }),
    ...(tagFilter !== undefined && { tag: tagFilter }),
    ...(bucket !== undefined && { bucket }),
    from: start,
    to: Math.max(start, Math.min(Math.ceil(end / unitAt(end, now)) * unitAt(end, now), latest)),
    offset: place?.[0] ?? 0,
  });
}

interface RangeContext {
  readonly bucket: SpendBucket | undefined;
  readonly now: number;
  readonly isOpen: boolean;
}

function rangeProblem(
  begin: number,
  end: number,
  { bucket, now, isOpen }: RangeContext,
): { parameter: 'from' | 'to'; message: string } | undefined {
  if (begin >= end) {
    return isOpen
      ? { parameter: 'from', message: 'lies in the future' }
      : { parameter: 'to', message: 'must be later than "from"' };
  }
  if (bucket === undefined) return undefined;
  const keptSince = hoursKeptFrom(now);
  if (bucket === 'hour' && begin < keptSince) {
    return { parameter: 'from', message: `is earlier than hours are kept, which is since ${toTimeText(keptSince)}` };
  }
  const days = LONGEST_RANGE_DAYS[bucket];
  if (Math.min(end, now) - begin <= days * DAY_MS) return undefined;
  return { parameter: 'from', message: `is too early: at most ${days} days may be read by ${bucket} at once` };
}

function unitAt(at: number, now: number): number {
  return at < hoursKeptFrom(now) ? DAY_MS : HOUR_MS;
}
