interface Memory<K, V> {
  get(at: K): V | undefined;
  set(at: K, value: V): unknown;
}

/** What is there already, else what is now made. */
export function remembered<K, V>(memory: Memory<K, V>, at: K, make: () => V): V {
  const known = memory.get(at);
  if (known !== undefined) return known;
  const value = make();
  memory.set(at, value);
  return value;
}
