// Characters that a person does not see and a model reads, or that show text other than it is.
import type { Rule, Severity } from './finding.ts';

/** A finding's place in one text. */
export interface Hit {
  readonly rule: Rule;
  readonly severity: Severity;
  /** In UTF-16 units. */
  readonly at: number;
}

// Tag characters spell ASCII invisibly. The only proper use is the flag of a region: a black flag, letters, an end.
const TAGS = /[\u{e0000}-\u{e007f}]+/gu;
const REGION_FLAG = /\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{1,6}\u{e007f}/gu;
// Each selector can carry a byte behind one visible character; in proper text two never stand together.
const SELECTOR_RUN = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{2,}/gu;
const SELECTOR_OF_LETTER = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}][\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu;
// What is drawn as nothing, but for the joiners, directions, selectors and tags that are looked at below.
const INVISIBLE =
  /(?!\p{Join_Control}|\p{Variation_Selector}|[\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}])\p{Default_Ignorable_Code_Point}/gu;
const DIRECTION_MARK = /[\u200e\u200f\u061c]/g;
// Joiners belong to emoji and to scripts that join their letters; between others they are invisible marks.
const STRAY_JOINER = /(?<=[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}\s\u200b-\u200d]|^)[\u200c\u200d]/gu;
const OVERRIDE = /[\u202d\u202e]/gu;
const EMBEDDING = /[\u202a-\u202c\u2066-\u2069]/gu;
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const CONTROL = /(?![\t\n\r\v\f\u0085])\p{Cc}/u;
const ODD_BREAK = /[\v\f\u0085\u2028\u2029]/;
const PRIVATE = /\p{Co}/gu;
/** So many invisible marks are no accident of copying: they can spell a sentence. */
const CARRIER_LENGTH = 8;
const PADDING = /\s{200}/u;

export function hiddenCharacters(text: string): Hit[] {
  // Nothing of this is in printable ASCII, which is what nearly every text is.
  if (/^[\t\n\r\x20-\x7e]*$/.test(text)) return padding(text);
  const rightToLeft = RIGHT_TO_LEFT.test(text);
  const flagless = blank(text, REGION_FLAG);
  const seen = rightToLeft ? blank(text, DIRECTION_MARK) : text;
  const invisible = count(seen, INVISIBLE) + count(seen, STRAY_JOINER);
  const found: (Hit | undefined)[] = [
    hit('hidden_text', 'high', flagless, TAGS),
    hit('hidden_text', 'high', text, SELECTOR_RUN),
    hit('invisible_characters', 'medium', text, SELECTOR_OF_LETTER),
    hit('invisible_characters', invisible >= CARRIER_LENGTH ? 'high' : 'medium', seen, INVISIBLE, STRAY_JOINER),
    hit('invisible_characters', 'medium', text, PRIVATE),
    hit('reordered_text', 'high', text, OVERRIDE),
    hit('reordered_text', rightToLeft ? 'low' : 'high', text, EMBEDDING),
    hit('control_characters', 'high', text, CONTROL),
    hit('control_characters', 'medium', text, ODD_BREAK),
  ];
  return [...found.filter((one) => one !== undefined), ...padding(text)];
}

/** The same length, so that places stay. */
function blank(text: string, pattern: RegExp): string {
  return text.replaceAll(pattern, (part) => ' '.repeat(part.length));
}

/** Blank space pushes what follows out of sight. */
function padding(text: string): Hit[] {
  const found = PADDING.exec(text);
  return found === null || text.slice(found.index).trim() === ''
    ? []
    : [{ rule: 'padding', severity: 'medium', at: found.index }];
}

function hit(rule: Rule, severity: Severity, text: string, ...patterns: readonly RegExp[]): Hit | undefined {
  const places = patterns.map((pattern) => text.search(pattern)).filter((place) => place !== -1);
  return places.length === 0 ? undefined : { rule, severity, at: Math.min(...places) };
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
