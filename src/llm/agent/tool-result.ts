// A tool's answer in the forms that the dialects share.
import { isObject, parseJson, type JsonObject } from '../../lib/json-value.ts';
import { TOOL_RESULT_CHARACTERS } from './limits.ts';
import type { ToolAnswer, ToolContent } from './toolbox.ts';

/** Arguments as models write them; nothing at all means none. */
export function parseArguments(text: unknown): JsonObject | undefined {
  if (isObject(text)) return text;
  if (typeof text !== 'string') return text === undefined || text === null ? {} : undefined;
  const value = text.trim() === '' ? {} : parseJson(text);
  return isObject(value) ? value : undefined;
}

export function toolError(text: string): ToolAnswer {
  return { isError: true, content: [{ type: 'text', text }] };
}

/** For where only text may stand. */
export function textOf({ content, isError }: ToolAnswer): string {
  const text = content.map((part) => (part.type === 'text' ? part.text : pictureNote(part))).join('\n');
  return text === '' ? (isError ? 'The tool failed and said nothing.' : '(no output)') : text;
}

function pictureNote({ data, mimeType }: ToolContent & { type: 'image' }): string {
  return `[an image of type ${mimeType}, ${Math.floor((data.length * 3) / 4)} bytes, which cannot be shown here]`;
}

/** A result that would fill the model's context many times over is cut, and says so. */
export function bounded(answer: ToolAnswer): ToolAnswer {
  let room = TOOL_RESULT_CHARACTERS;
  const content = answer.content.map((part): ToolContent => {
    const length = part.type === 'text' ? part.text.length : part.data.length;
    const kept = room;
    room = Math.max(0, room - length);
    if (length <= kept) return part;
    const notice = `[cut: ${length} characters, of which ${part.type === 'text' ? kept : 0} are shown]`;
    return { type: 'text', text: part.type === 'text' ? `${part.text.slice(0, kept)}\n${notice}` : notice };
  });
  return { ...answer, content };
}
