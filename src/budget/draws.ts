// Which draws of a lease have been charged: ranges of numbers, nearly always one.

export type DrawRange = readonly [from: number, to: number];

export class Draws {
  #ranges: DrawRange[];

  constructor(ranges: readonly DrawRange[] = []) {
    this.#ranges = [...ranges];
  }

  /** @returns false where it was there before */
  add(draw: number): boolean {
    let next = this.#ranges.length;
    while ((this.#ranges[next - 1]?.[0] ?? -Infinity) > draw) next--;
    const [from, to] = this.#ranges[next - 1] ?? [draw, -Infinity];
    if (draw <= to) return false;
    const [after, end] = this.#ranges[next] ?? [Infinity, draw];
    const joins = to === draw - 1;
    const meets = after === draw + 1;
    const range: DrawRange = [joins ? from : draw, meets ? end : draw];
    this.#ranges.splice(next - (joins ? 1 : 0), (joins ? 1 : 0) + (meets ? 1 : 0), range);
    return true;
  }

  get ranges(): readonly DrawRange[] {
    return this.#ranges;
  }
}
