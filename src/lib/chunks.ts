export interface ChunkLimit {
  readonly items: number;
  readonly characters: number;
}

/**
 * In order, in runs of at most so many and, unless one alone is heavier, of at most so many characters.
 * @param sizeOf in characters
 */
export function* inChunks<T>(
  items: readonly T[],
  limit: ChunkLimit,
  sizeOf: (item: T) => number,
): Generator<readonly T[]> {
  let start = 0;
  let characters = 0;
  for (const [index, item] of items.entries()) {
    const size = sizeOf(item);
    if (index > start && (index - start === limit.items || characters + size > limit.characters)) {
      yield items.slice(start, index);
      start = index;
      characters = 0;
    }
    characters += size;
  }
  if (start < items.length) yield items.slice(start);
}
