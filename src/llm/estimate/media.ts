// What pictures and sound are at most, in LLM tokens, by what the vendors document.

/** @returns how many characters of a data URL, or of bare base64, are data; 0 for an address */
export function base64Length(source: unknown, prefix: string): number {
  if (typeof source !== 'string') return 0;
  if (source.startsWith(prefix)) return source.length - source.indexOf(',') - 1;
  return BARE_BASE64.test(source.slice(0, 64)) ? source.length : 0;
}

const BARE_BASE64 = /^[A-Za-z0-9+/_-]{16,}={0,2}$/;

export interface ImageBound {
  /** Tokens of one image. */
  readonly tokens: number;
  /** By how much more an image is charged for than it takes up of the context window. */
  readonly weight: number;
}

/** Models that are told by their names, most particular first. */
const IMAGE_BOUNDS: readonly (readonly [RegExp, ImageBound])[] = [
  // Tiles of 512 pixels, eight at most: 2,833 + 8 × 5,667. They take up what gpt-4o's do.
  [/gpt-4o-mini/, { tokens: 48_169, weight: 34 }],
  // 85 + 8 × 170; o1 and o3 and gpt-5 take less.
  [
    /gpt-4o|gpt-4-|gpt-4\.5|gpt-4\.1(?!-mini|-nano)|\bo[13](?!-mini|\d)|gpt-5(?![.\d]|-mini|-nano)|computer-use/,
    { tokens: 1445, weight: 1 },
  ],
  // Patches of 32 pixels: 1,536 of them, times 2.46.
  [/gpt-4\.1|gpt-5-(?:mini|nano)|\bo4-mini/, { tokens: 3779, weight: 3 }],
  // 10,000 patches in full detail, times 2.46.
  [/gpt|\bo\d/, { tokens: 24_600, weight: 3 }],
  // Patches of 28 pixels: 1,568 of them, and 4,784 from Opus 4.7 on.
  [/claude-(?:[23]|v1|instant|(?:opus|sonnet|haiku)-4-(?:[0-6](?!\d)|20\d))/, { tokens: 1640, weight: 1 }],
  [/claude/, { tokens: 4784, weight: 1 }],
  // Of Gemini 3 in the highest resolution. Before, tiles of 768 pixels with 258 tokens each, and 64 of those are more
  // than 6,000 pixels square.
  [/gemini-3/, { tokens: 2240, weight: 1 }],
  [/gemini/, { tokens: 16_512, weight: 1 }],
  [/gemma/, { tokens: 1280, weight: 1 }],
  [/pixtral|mistral|ministral|magistral/, { tokens: 4224, weight: 1 }],
  [/grok/, { tokens: 1792, weight: 1 }],
  [/llama/, { tokens: 6404, weight: 1 }],
  [/qwen/, { tokens: 16_384, weight: 1 }],
];

/** Undefined where nothing is documented of the model. */
export function imageBound(model: string): ImageBound | undefined {
  const name = model.toLowerCase();
  return IMAGE_BOUNDS.find(([pattern]) => pattern.test(name))?.[1];
}

/** Bytes per second of the slowest sound of a format; those that can be silent for next to nothing are left out. */
const SLOWEST_BYTES_PER_SECOND: ReadonlyMap<unknown, number> = new Map([
  ['wav', 8000],
  ['mp3', 1000],
  ['audio/wav', 8000],
  ['audio/x-wav', 8000],
  ['audio/mp3', 1000],
  ['audio/mpeg', 1000],
]);

/**
 * The most that a piece of sound can be, by its length in bytes; undefined for formats of which that says nothing.
 * @param data base64, or a data URL
 */
export function audioTokens(data: string, format: unknown, tokensPerSecond: number): number | undefined {
  const bytesPerSecond = SLOWEST_BYTES_PER_SECOND.get(format);
  if (bytesPerSecond === undefined) return undefined;
  return Math.ceil(((data.length * 3) / 4 / bytesPerSecond) * tokensPerSecond) + tokensPerSecond;
}
