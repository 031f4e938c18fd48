// Whatever turns a model takes, and wherever the network cuts its streams: the caller reads the answer that it would
// have got without a stream.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listAt, type JsonObject } from '../../../../src/lib/json-value.ts';
import type { AgentWireDialect, ScriptedCall, ScriptedTurn } from '../../../support/agent-wire.ts';
import { agentRig, DIALECTS, jsonOf, textOf, type AgentRig } from './agent-rig.ts';
import { answerInStream, toolsAskedIn, usageIn, wordsIn } from './answers.ts';

const words = fc.stringMatching(/^[a-zé世 "\\]{1,12}$/);

function calls(names: readonly string[], minLength: number) {
  const given = fc.dictionary(fc.constantFrom('path', 'über', 'n'), fc.oneof(words, fc.integer()));
  return fc.array(fc.record({ name: fc.constantFrom(...names), arguments: given }), { minLength, maxLength: 3 });
}

/** Turns that the gateway goes on from, and a last one that it does not. */
const script = fc
  .record({
    auto: fc.array(
      fc.record({ thinking: words, text: words, calls: calls(['files__read'], 1) }, { requiredKeys: ['calls'] }),
      {
        maxLength: 3,
      },
    ),
    last: fc.record({ text: words, calls: calls(['files__read', 'files__write'], 0), isCut: fc.boolean() }),
  })
  .map(({ auto, last }) => {
    const isOpen = last.calls.length > 0 && last.calls.every(({ name }) => name === 'files__read');
    const end = { text: last.text, calls: last.calls, isCut: last.isCut || isOpen };
    return [...auto, end].map(numbered);
  });

interface UnnumberedTurn {
  readonly thinking?: string;
  readonly text?: string;
  readonly calls: readonly Omit<ScriptedCall, 'id'>[];
  readonly isCut?: boolean;
}

function numbered(turn: UnnumberedTurn, index: number): ScriptedTurn {
  return {
    ...turn,
    calls: turn.calls.map(({ name, arguments: given }, at) => ({ id: `call_${index}_${at}`, name, arguments: given })),
  };
}

/** Cuts anywhere, within a character too; some chunks are empty. */
function cutAt(lengths: readonly number[]): (text: string) => Uint8Array[] {
  return (text) => {
    const bytes = new TextEncoder().encode(text);
    const chunks: Uint8Array[] = [];
    for (let start = 0, next = 0; start < bytes.length; next++) {
      const length = lengths.length === 0 ? bytes.length : (lengths[next % lengths.length] ?? 1);
      chunks.push(bytes.slice(start, start + length));
      start += length;
    }
    return chunks;
  };
}

const cuts = fc
  .array(fc.integer({ min: 0, max: 90 }), { maxLength: 6 })
  .filter((all) => all.length === 0 || all.some((one) => one > 0));

function ask(rig: AgentRig, dialect: AgentWireDialect, stream: boolean) {
  const body =
    dialect === 'responses' ? { input: 'hi' } : { messages: [{ role: 'user', content: 'hi' }], max_tokens: 9 };
  return rig.ask({ ...body, stream });
}

/** All of an answer that does not depend on how it came. */
function essence(dialect: AgentWireDialect, answer: JsonObject): unknown {
  return {
    words: wordsIn(dialect, answer),
    asked: toolsAskedIn(dialect, answer),
    usage: usageIn(dialect, answer),
    ...(dialect === 'messages' && { content: answer['content'], stop: answer['stop_reason'] }),
    ...(dialect === 'responses' && { output: answer['output'], status: answer['status'] }),
    ...(dialect === 'chat' && { finish: (listAt(answer, 'choices')[0] as JsonObject)['finish_reason'] }),
  };
}

describe.each(DIALECTS)('a spliced stream of %s', (dialect) => {
  it('says what the answer without a stream says, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(script, cuts, async (turns, lengths) => {
        const streamed = agentRig({ dialect, turns, chunked: cutAt(lengths) });
        const text = await textOf(await ask(streamed, dialect, true));
        const whole = agentRig({ dialect, turns });
        const answer = await jsonOf(await ask(whole, dialect, false));
        expect(essence(dialect, answerInStream(dialect, text))).toEqual(essence(dialect, answer));
        expect(streamed.calls).toEqual(whole.calls);
        // What the model is told must not depend on it either.
        expect(streamed.sent.map(({ stream: _stream, ...request }) => request)).toEqual(
          whole.sent.map(({ stream: _stream, ...request }) => request),
        );
      }),
      { numRuns: 150 },
    );
  });
});
