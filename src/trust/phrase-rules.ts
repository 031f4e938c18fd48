// Kinds of wording that mean harm when they stand close together.
import type { Rule, Severity } from './finding.ts';
import type { Hit } from './hidden-characters.ts';
import { WORDING, type Wording } from './wording.ts';

interface PhraseRule {
  readonly rule: Rule;
  readonly severity: Severity;
  /** All of them, each within so many characters of the first. */
  readonly near: readonly [Wording, ...Wording[]];
  readonly within: number;
  /** May be spoken of rather than said: the finding is then `low`. */
  readonly mentionable?: true;
}

const RULES: readonly PhraseRule[] = [
  { rule: 'overrides_instructions', severity: 'high', near: ['overriding', 'guidance'], within: 40, mentionable: true },
  { rule: 'overrides_instructions', severity: 'high', near: ['persona'], within: 0, mentionable: true },
  { rule: 'poses_as_conversation', severity: 'medium', near: ['speaker'], within: 0, mentionable: true },
  {
    rule: 'asks_for_secrets',
    severity: 'high',
    near: ['secretFile', 'reading', 'handing'],
    within: 120,
    mentionable: true,
  },
  {
    rule: 'asks_for_secrets',
    severity: 'high',
    near: ['secretFile', 'handing', 'place'],
    within: 120,
    mentionable: true,
  },
  {
    rule: 'asks_for_secrets',
    severity: 'high',
    near: ['belonging', 'handing', 'place'],
    within: 100,
    mentionable: true,
  },
  { rule: 'takes_data', severity: 'high', near: ['taking'], within: 0, mentionable: true },
  { rule: 'hides_from_user', severity: 'high', near: ['concealing'], within: 0 },
  { rule: 'hides_from_user', severity: 'high', near: ['stealth', 'handing'], within: 60 },
  { rule: 'obeys_content', severity: 'high', near: ['foreignOrder', 'obeying'], within: 100 },
  { rule: 'alters_other_tool', severity: 'high', near: ['otherTool', 'changing', 'conduct'], within: 100 },
  { rule: 'alters_other_tool', severity: 'high', near: ['onCall', 'otherTool', 'changing'], within: 100 },
  { rule: 'changes_after_approval', severity: 'high', near: ['approval', 'harm'], within: 120 },
];

/** In the same sentence, what says that something is mentioned and not meant. */
const MENTION_WITHIN = 80;

type Span = readonly [from: number, to: number];

/**
 * @param plain in plain words
 * @param ownName of the tool itself, in plain words
 */
export function harmfulPhrases(plain: string, ownName: string): Hit[] {
  const known = new Map<Wording, readonly Span[]>();
  const spansOf = (wording: Wording): readonly Span[] => {
    const spans = known.get(wording) ?? findSpans(plain, wording, ownName);
    known.set(wording, spans);
    return spans;
  };
  return RULES.flatMap(({ rule, severity, near: [anchor, ...others], within, mentionable }) => {
    const places = spansOf(anchor).filter((place) => others.every((other) => isNear(spansOf(other), place, within)));
    const isMeant = (place: Span): boolean =>
      mentionable === undefined || !isNear(spansOf('speakingOf'), place, MENTION_WITHIN, sentenceAround(plain, place));
    const meant = places.find(isMeant);
    const [at] = meant ?? places[0] ?? [];
    return at === undefined ? [] : [{ rule, severity: meant === undefined ? 'low' : severity, at }];
  });
}

function findSpans(plain: string, wording: Wording, ownName: string): Span[] {
  const spans: Span[] = [];
  for (const { index, 0: words } of plain.matchAll(WORDING[wording])) {
    if (wording === 'otherTool' && isNameOf(words, ownName)) continue;
    spans.push([index, index + words.length]);
  }
  return spans;
}

/** Whether "the x tool" is this very tool. */
function isNameOf(words: string, ownName: string): boolean {
  const [name] = words.replace(/^(?:the|any|every|other|tool|function) /, '').match(/[\w-]+/) ?? [];
  return name === ownName;
}

const SENTENCE_END = /[.!?;](?=[ )\]}'"])/g;

function sentenceAround(plain: string, [from, to]: Span): Span {
  const before = plain.slice(Math.max(0, from - MENTION_WITHIN), from);
  const begin = Math.max(0, ...[...before.matchAll(SENTENCE_END)].map(({ index }) => index + 1));
  const end = plain.slice(to, to + MENTION_WITHIN).search(SENTENCE_END);
  return [from - before.length + begin, end === -1 ? to + MENTION_WITHIN : to + end];
}

/** Whether one of the spans, which are in order, lies within the distance of the place, and within the bounds. */
function isNear(spans: readonly Span[], [from, to]: Span, distance: number, bounds: Span = [0, Infinity]): boolean {
  const least = Math.max(from - distance, bounds[0]);
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.[1] ?? 0) <= least) low = middle + 1;
    else high = middle;
  }
  return (spans[low]?.[0] ?? Infinity) <= Math.min(to + distance, bounds[1]);
}
