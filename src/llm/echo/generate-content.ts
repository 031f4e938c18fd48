import { at, isObject, listAt, textAt, type JsonObject } from '../../lib/json-value.ts';
import { newId } from '../../lib/ids.ts';
import { answerTo, contentText, outputTokens, piecesOf, tokensIn, type Heard, type Turn } from './turn.ts';
import { eventStream, jsonAnswer } from './wire.ts';

/** @param method of the path: `generateContent`, `streamGenerateContent` or `countTokens` */
export function echoGenerateContent(request: unknown, now: number, method: string, model: string): Response {
  const heard = hear(request);
  const promptTokenCount = tokensIn(heard.characters);
  if (method === 'countTokens') return jsonAnswer({ totalTokens: promptTokenCount });
  const turn = answerTo(heard);
  const candidatesTokenCount = outputTokens(turn);
  const usageMetadata = {
    promptTokenCount,
    candidatesTokenCount,
    totalTokenCount: promptTokenCount + candidatesTokenCount,
  };
  const head = { modelVersion: model, responseId: newId('resp', now) };
  const answer = (parts: readonly JsonObject[], isLast: boolean): JsonObject => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...(isLast && { finishReason: 'STOP' }) }],
    usageMetadata: isLast ? usageMetadata : { promptTokenCount, totalTokenCount: promptTokenCount },
    ...head,
  });
  if (method === 'generateContent') return jsonAnswer(answer([partOf(turn, now)], true));
  const parts = turn.kind === 'text' ? piecesOf(turn.text).map((text) => ({ text })) : [partOf(turn, now)];
  return eventStream(parts.map((part, index) => ({ data: answer([part], index === parts.length - 1) })));
}

function hear(request: unknown): Heard {
  const contents = listAt(at(request, 'generateContentRequest') ?? request, 'contents');
  const last = contents.findLast((content) => (textAt(content, 'role') ?? 'user') === 'user');
  const parts = listAt(last, 'parts');
  const results = parts.filter((part) => at(part, 'functionResponse') !== undefined);
  return {
    text:
      results.length === 0
        ? contentText(parts)
        : results.map((part) => JSON.stringify(at(part, 'functionResponse', 'response'))).join(''),
    isToolResult: results.length > 0,
    tools: listAt(request, 'tools').flatMap((tool) =>
      listAt(tool, 'functionDeclarations').flatMap((declaration) => textAt(declaration, 'name') ?? []),
    ),
    characters: contents.reduce<number>((sum, content) => sum + contentText(at(content, 'parts')).length, 0),
  };
}

function partOf(turn: Turn, now: number): JsonObject {
  if (turn.kind === 'text') return { text: turn.text };
  return { functionCall: { id: newId('call', now), name: turn.name, args: turn.input } };
}

export function isGenerateContentRequest(request: unknown): boolean {
  const contents = listAt(at(request, 'generateContentRequest') ?? request, 'contents');
  return contents.length > 0 && contents.every(isObject);
}
