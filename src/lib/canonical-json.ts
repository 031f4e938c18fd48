/**
 * JSON text in the one form of RFC 8785: members ordered by UTF-16 code units, no white space, ECMAScript numbers.
 * `undefined` members are left out, as `JSON.stringify` does.
 * @throws RangeError when the value is nested so deeply that the stack ends
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    // Sorted here rather than in a replacer: objects list integer-like keys in numeric order whatever was inserted first.
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
