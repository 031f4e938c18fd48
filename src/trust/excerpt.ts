// Text of a server as it may be shown: to an operator, on a terminal, in a page, to a model that reads the answer.

const MAX_LENGTH = 200;
/** Letters, marks, digits and plain punctuation stay; whatever could hide, steer or mark up is spelled out. */
const UNSAFE = /[^\p{L}\p{M}\p{N} .,;:!?'"()/_\-=@#%&*+~$^]|\p{Default_Ignorable_Code_Point}/gu;

/**
 * The text around the given part, bounded, in one line.
 * @param at where it begins, in UTF-16 units
 */
export function excerptAround(text: string, at = 0, maxLength = MAX_LENGTH): string {
  const lead = Math.min(at, Math.floor(maxLength / 4));
  const from = at - lead;
  const piece = escapeText(text.slice(from, from + maxLength).toWellFormed());
  const shown = piece.length > 2 * maxLength ? piece.slice(0, 2 * maxLength) : piece;
  const cut = from + maxLength < text.length || shown.length < piece.length;
  return `${from > 0 ? '…' : ''}${shown}${cut ? '…' : ''}`;
}

function escapeText(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
