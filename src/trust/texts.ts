// Every text of a definition that may reach a model, wherever it hides: descriptions, defaults, enums, names of members.
import type { ToolDefinition } from './definition.ts';
import { walk } from './walk.ts';

export interface Texts {
  readonly texts: readonly { readonly where: string; readonly text: string }[];
  /** Where reading stopped, when it did. */
  readonly unread?: string;
}

/** Characters of one definition that are read: more than a model is well given. */
const MAX_CHARACTERS = 131_072;
/** One word holds neither an order nor anything unseen. */
const PLAIN_NAME = /^[\w$-]{1,40}$/;

export function textsOf(definition: ToolDefinition): Texts {
  const texts: { where: string; text: string }[] = [];
  let left = MAX_CHARACTERS;
  const take = (where: string, text: string): void => {
    if (text !== '') texts.push({ where, text: text.slice(0, Math.max(0, left)) });
    left -= text.length;
  };
  const unread = walk(definition, ({ where, name, value }) => {
    if (!PLAIN_NAME.test(name)) take(where, name);
    if (typeof value === 'string') take(where, value);
    return left < 0 ? 'enough' : 'more';
  });
  return unread === undefined ? { texts } : { texts, unread };
}
