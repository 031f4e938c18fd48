const NOTHING = new Uint8Array(0);

/** One after the other. Not copied where only one of them is not empty. */
export function joinedBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const some = pieces.filter(({ byteLength }) => byteLength > 0);
  if (some.length <= 1) return some[0] ?? NOTHING;
  const whole = new Uint8Array(some.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let offset = 0;
  for (const piece of some) {
    whole.set(piece, offset);
    offset += piece.byteLength;
  }
  return whole;
}
