// Text as its words are heard: without disguise by letters that look alike, invisible marks or case.

/** Letters of other scripts that are drawn like Latin ones. Not the whole of Unicode's list: those that write English. */
const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    а: 'a',
    е: 'e',
    о: 'o',
    р: 'p',
    с: 'c',
    у: 'y',
    х: 'x',
    і: 'i',
    ј: 'j',
    ѕ: 's',
    һ: 'h',
    ԁ: 'd',
    ԛ: 'q',
    ԝ: 'w',
    к: 'k',
    т: 't',
    п: 'n',
    в: 'b',
    м: 'm',
    н: 'h',
    г: 'r',
    ӏ: 'l',
    ѵ: 'v',
    α: 'a',
    ο: 'o',
    ν: 'v',
    ι: 'i',
    κ: 'k',
    ρ: 'p',
    τ: 't',
    υ: 'u',
    χ: 'x',
    ε: 'e',
    η: 'n',
    ϲ: 'c',
    ϳ: 'j',
    ı: 'i',
    ɡ: 'g',
    ɑ: 'a',
    ⅼ: 'l',
  }),
);
const IGNORABLE = /[\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}]/gu;
const FOREIGN_LETTER = /[\u0131\u0251\u0261\u0370-\u03ff\u0400-\u052f]/gu;

export function plainWords(text: string): string {
  if (/^[\t\n\r\x20-\x7e]*$/.test(text)) return tidy(text);
  const bare = text.normalize('NFKD').replaceAll(IGNORABLE, '').toLowerCase();
  return tidy(bare.replaceAll(FOREIGN_LETTER, (letter) => LOOK_ALIKES.get(letter) ?? letter));
}

function tidy(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[‘’`´]/g, "'")
    .replaceAll(/[“”]/g, '"')
    .replaceAll(/\s+/g, ' ');
}

const LATIN = /\p{Script=Latin}/u;
const LATIN_LIKE = /[\p{Script=Cyrillic}\p{Script=Greek}\u0251\u0261]/u;

/** Whether one word mixes Latin letters with those of a script that has look-alikes. */
export function mixesScripts(text: string): boolean {
  if (!LATIN_LIKE.test(text)) return false;
  return text.split(/[^\p{L}\p{M}]+/u).some((word) => LATIN.test(word) && LATIN_LIKE.test(word));
}
