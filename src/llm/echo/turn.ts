// What the echo provider says, whatever the dialect it is asked in.
import { isObject, parseJson, type JsonObject } from '../../lib/json-value.ts';

/** The part of a conversation that an echo can come from. */
export interface Heard {
  /** The last thing said: by the user, or by a tool. */
  readonly text: string;
  readonly isToolResult: boolean;
  readonly tools: readonly string[];
  /** All text of the request, for counting. */
  readonly characters: number;
}

export type Turn =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tool'; readonly name: string; readonly input: JsonObject };

/** Repeats what it heard. `call <tool> {json}` from the user becomes a call of that tool, if the request offers it. */
export function answerTo({ text, isToolResult, tools }: Heard): Turn {
  const asked = isToolResult ? null : /^\s*call\s+(\S+)\s*(\{[^]*\})?\s*$/.exec(text);
  const name = asked?.[1];
  if (name !== undefined && tools.includes(name)) {
    const input = parseJson(asked?.[2] ?? '{}');
    if (isObject(input)) return { kind: 'tool', name, input };
  }
  return { kind: 'text', text: text === '' ? '(nothing was said)' : text };
}

/** Four characters a token, the usual rule of thumb; nothing costs nothing. */
export function tokensIn(characters: number): number {
  return Math.max(1, Math.ceil(characters / 4));
}

export function outputTokens(turn: Turn): number {
  return tokensIn(turn.kind === 'text' ? turn.text.length : turn.name.length + JSON.stringify(turn.input).length);
}

/** In pieces of a word each, as a stream brings it. */
export function piecesOf(text: string): readonly string[] {
  return text.match(/\s*\S+\s*$|\s*\S+/g) ?? [text];
}

/** A message's content as text: a string, or the texts of its parts. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => {
      if (!isObject(part)) return '';
      return typeof part['text'] === 'string' ? part['text'] : contentText(part['content']);
    })
    .join('');
}
