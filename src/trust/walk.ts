// Goes through a definition in order, without recursion and within bounds, since a server chooses depth and size.

export interface Place {
  /** `inputSchema.properties.path.default` */
  readonly where: string;
  /** The last step of the path. */
  readonly name: string;
  readonly value: unknown;
  readonly depth: number;
}

const MAX_DEPTH = 64;
const MAX_PLACES = 20_000;
const MAX_PATH = 300;

/**
 * Visits everything below the root until `visit` says that it is enough.
 * @returns where that was, or where the definition is deeper or wider than is gone into; undefined after all of it
 */
export function walk(root: object, visit: (place: Place) => 'more' | 'enough'): string | undefined {
  const waiting = placesIn({ where: '', name: '', value: root, depth: 0 });
  let visited = 0;
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (place.depth > MAX_DEPTH || ++visited > MAX_PLACES || visit(place) === 'enough') return place.where;
    if (typeof place.value !== 'object' || place.value === null) continue;
    if (Object.keys(place.value).length > MAX_PLACES) return place.where;
    for (const below of placesIn(place)) waiting.push(below);
  }
  return undefined;
}

/** Last first, as a stack has them. */
function placesIn({ where, value, depth }: Place): Place[] {
  const path = where === '' ? '' : `${where}.`;
  return Object.entries(Object(value))
    .toReversed()
    .map(([name, member]) => ({ where: shorten(path + name), name, value: member, depth: depth + 1 }));
}

function shorten(path: string): string {
  return path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}…` : path;
}
