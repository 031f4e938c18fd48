/** How many bytes a text has in UTF-8. A lone surrogate counts as the replacement character it is encoded as. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    // Two units of a pair are four bytes: two each.
    if (code < 0x800 || (code >= 0xd800 && code <= 0xdbff && isLow(text.charCodeAt(index + 1)))) bytes += 1;
    else if (isLow(code) && isHigh(text.charCodeAt(index - 1))) bytes += 1;
    else bytes += 2;
  }
  return bytes;
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
