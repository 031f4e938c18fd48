// What kind of content a media type names. Pure.

/** Without its parameters. */
export function essenceOf(mediaType: string): string {
  return (mediaType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

export function isJson(mediaType: string): boolean {
  return /^(?:application|text)\/(?:[\w.!#$&^-]+\+)?json$/.test(essenceOf(mediaType));
}

export function isText(mediaType: string): boolean {
  const essence = essenceOf(mediaType);
  return essence.startsWith('text/') || isJson(essence) || TEXT.test(essence);
}

const TEXT =
  /^application\/(?:[\w.!#$&^-]+\+)?(?:xml|yaml|x-yaml|javascript|ecmascript|graphql|sql|csv|x-ndjson|ndjson|jsonl|x-jsonlines|toml|x-www-form-urlencoded|problem)$/;
