// What tools of 2026-07-28 may return and earlier clients cannot read: structured content that is no object. It is shown
// to them as the member `result` of one, in the listing and in results alike.
import type { CallToolResult, Tool } from '@modelcontextprotocol/server';
import { isObject, type JsonObject } from '../lib/json-value.ts';

/** A client of an earlier revision refuses a whole list for one such schema. */
export function withLegacyOutputSchema(tool: Tool): Tool {
  const schema: unknown = tool.outputSchema;
  if (schema === undefined || isObjectSchema(schema)) return tool;
  // With an identity of its own, the schema's references to its own parts hold wherever it is put.
  const embedded = isObject(schema) ? { $id: `urn:sallyport:output:${encodeURIComponent(tool.name)}`, ...schema } : {};
  return { ...tool, outputSchema: { type: 'object', properties: { result: embedded }, required: ['result'] } };
}

/** @param outputSchema of the tool, as its server lists it */
export function withLegacyContent(result: CallToolResult, outputSchema: unknown): CallToolResult {
  const { structuredContent, content } = result as { structuredContent?: unknown; content: CallToolResult['content'] };
  if (structuredContent === undefined) return result;
  const isPlain = isObject(structuredContent);
  if (isPlain && (outputSchema === undefined || isObjectSchema(outputSchema))) return result;
  // A server that speaks both eras has done it itself.
  if (isPlain && Object.keys(structuredContent).join() === 'result') return result;
  const hasText = isPlain || content.some(({ type }) => type === 'text');
  const text = { type: 'text', text: JSON.stringify(structuredContent) } as const;
  return {
    ...result,
    content: hasText ? content : [...content, text],
    structuredContent: { result: structuredContent },
  };
}

function isObjectSchema(schema: unknown): schema is JsonObject {
  return isObject(schema) && schema['type'] === 'object';
}
