// What the suites expect a server under test to expose, as data: both fixtures serve it, each through its own SDK line.

/** One pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
/** A header and no samples. */
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=';

export type Content =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image' | 'audio'; readonly data: string; readonly mimeType: string }
  | {
      readonly type: 'resource';
      readonly resource: { readonly uri: string; readonly mimeType: string; readonly text: string };
    };

export interface PromptDefinition {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly arguments?: readonly { readonly name: string; readonly description: string; readonly required: boolean }[];
}

export interface ResourceContent {
  readonly uri: string;
  readonly mimeType: string;
  readonly text?: string;
  readonly blob?: string;
}

export const WATCHED_RESOURCE = 'test://watched-resource';
export const INPUT_REQUIRED_PROMPT = 'test_input_required_result_prompt';

export const text = (value: string): Content => ({ type: 'text', text: value });
export const image = (): Content => ({ type: 'image', data: PNG, mimeType: 'image/png' });
export const audio = (): Content => ({ type: 'audio', data: WAV, mimeType: 'audio/wav' });
export const embedded = (uri: string, body: string, mimeType = 'text/plain'): Content => ({
  type: 'resource',
  resource: { uri, mimeType, text: body },
});

export const RESOURCES = [
  { uri: 'test://static-text', name: 'static-text', title: 'Static text', mimeType: 'text/plain' },
  { uri: 'test://static-binary', name: 'static-binary', title: 'Static bytes', mimeType: 'image/png' },
  { uri: 'test://example-resource', name: 'example-resource', title: 'An example', mimeType: 'text/plain' },
  { uri: WATCHED_RESOURCE, name: 'watched-resource', title: 'One to subscribe to', mimeType: 'text/plain' },
] as const;

export const RESOURCE_TEMPLATES = [
  {
    uriTemplate: 'test://template/{id}/data',
    name: 'template',
    title: 'Data by id',
    description: 'The data of one id.',
    mimeType: 'application/json',
  },
] as const;

/** The contents of a resource; undefined where there is none. */
export function readResource(uri: string): ResourceContent | undefined {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id !== undefined) {
    return { uri, mimeType: 'application/json', text: JSON.stringify({ id, data: `The data of ${id}` }) };
  }
  const known = RESOURCES.find((resource) => resource.uri === uri);
  if (known === undefined) return undefined;
  return known.mimeType === 'image/png'
    ? { uri, mimeType: known.mimeType, blob: PNG }
    : { uri, mimeType: known.mimeType, text: `This is ${known.title.toLowerCase()}.` };
}

const argument = (name: string, description: string) => ({ name, description, required: true });

export const PROMPTS: readonly PromptDefinition[] = [
  { name: 'test_simple_prompt', title: 'Simple', description: 'One message, no arguments.' },
  {
    name: 'test_prompt_with_arguments',
    title: 'With arguments',
    description: 'One message that quotes both arguments.',
    arguments: [argument('arg1', 'The first.'), argument('arg2', 'The second.')],
  },
  {
    name: 'test_prompt_with_embedded_resource',
    title: 'With a resource',
    description: 'A message that embeds a resource.',
    arguments: [argument('resourceUri', 'Which resource to embed.')],
  },
  { name: 'test_prompt_with_image', title: 'With an image', description: 'A message that holds an image.' },
  { name: INPUT_REQUIRED_PROMPT, title: 'Asking', description: 'Asks for a context before it is rendered.' },
];

/** There and gone again, at each call of `test_trigger_prompt_change`. */
export const PASSING_PROMPT: PromptDefinition = {
  name: 'test_passing_prompt',
  title: 'Passing',
  description: 'Comes and goes.',
};

/** The messages of a prompt; undefined where there is none. */
export function promptContents(name: string, args: Readonly<Record<string, string>>): Content[] | undefined {
  switch (name) {
    case 'test_simple_prompt':
    case PASSING_PROMPT.name:
      return [text('A simple prompt.')];
    case 'test_prompt_with_arguments':
      return [text(`The first is "${args['arg1'] ?? ''}", the second "${args['arg2'] ?? ''}".`)];
    case 'test_prompt_with_embedded_resource':
      return [embedded(args['resourceUri'] ?? '', 'The embedded text.'), text('Read what is embedded above.')];
    case 'test_prompt_with_image':
      return [image(), text('Look at the image above.')];
    default:
      return undefined;
  }
}

/** Every completion the server knows that begins with what was typed. */
export function completionsOf(typed: string): string[] {
  return ['paris', 'park', 'party'].filter((word) => word.startsWith(typed));
}
