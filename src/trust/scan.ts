// Judges a tool's definition by what it says. A scanner of words is a help to a person's eye and no proof: pins
// (`standing.ts`) are what holds.
import { pinnedPart } from './definition.ts';
import { excerptAround } from './excerpt.ts';
import type { Finding } from './finding.ts';
import { hiddenCharacters, type Hit } from './hidden-characters.ts';
import { harmfulPhrases } from './phrase-rules.ts';
import { mixesScripts, plainWords } from './plain-words.ts';
import { textsOf } from './texts.ts';

/** Of one definition and severity: enough to decide by. */
const MAX_FINDINGS = 5;
/** Shorter texts hold no order. */
const SHORTEST_PHRASE = 16;
/** Base64 or the like, long enough for a sentence. */
const ENCODED = /(?<![\w+/=-])[\w+/-]{160,}/;
const MAX_UNFOLDING = 4;
const PLACE_LENGTH = 120;

/** In time proportional to the definition, and to no more of it than `textsOf` reads. */
export function scanDefinition(tool: { readonly name: string }): Finding[] {
  const findings: Finding[] = [];
  const name = excerptAround(tool.name, 0, PLACE_LENGTH);
  const ownName = plainWords(tool.name);
  const { texts, unread } = textsOf(pinnedPart(tool));
  const add = (where: string, text: string, { rule, severity, at }: Hit): void => {
    const place = excerptAround(where, 0, PLACE_LENGTH);
    // By severity, so that no number of lesser ones crowds out a grave one.
    const alike = findings.filter((one) => one.severity === severity);
    if (alike.length >= MAX_FINDINGS || alike.some((one) => one.rule === rule && one.where === place)) return;
    findings.push({ rule, severity, tool: name, where: place, excerpt: excerptAround(text, at) });
  };
  if (unread !== undefined)
    add(unread, 'too long or too deep to be read whole', { rule: 'unread', severity: 'high', at: 0 });
  if (mixesScripts(tool.name)) add('name', tool.name, { rule: 'mixed_script_name', severity: 'high', at: 0 });
  for (const { where, text } of texts) {
    for (const hit of hiddenCharacters(text)) add(where, text, hit);
    const at = text.search(ENCODED);
    if (at !== -1) add(where, text, { rule: 'encoded_text', severity: 'low', at });
    if (text.length < SHORTEST_PHRASE) continue;
    const plain = plainWords(text);
    // A single character can stand for eighteen: no text unfolds like that, and time is bounded by what is read.
    if (plain.length > MAX_UNFOLDING * text.length) {
      add(where, text, { rule: 'unread', severity: 'high', at: 0 });
      continue;
    }
    for (const hit of harmfulPhrases(plain, ownName)) add(where, plain, hit);
  }
  return findings.toSorted((one, other) => RANK[one.severity] - RANK[other.severity]).slice(0, MAX_FINDINGS);
}

const RANK = { high: 0, medium: 1, low: 2 } as const;
