import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withItems, withMember } from '../../../../src/llm/agent/request-edit.ts';
import type { LlmRequestBody } from '../../../../src/llm/model-name.ts';
import { scanJson } from '../../../../src/lib/json-scan.ts';

function body(text: string): LlmRequestBody {
  return { text, value: JSON.parse(text), members: scanJson(text, 0).members, byteLength: text.length };
}

describe('an edit of a request', () => {
  it.each([
    ['{"a":1}', '{"a":1,"tools":[7]}'],
    ['{ "tools" : [ ] , "a":1 }', '{ "tools" : [ 7] , "a":1 }'],
    ['{"tools":[ {"x":"]"} ]}', '{"tools":[ {"x":"]"} ,7]}'],
    ['{"tools":null,"a":1.0}', '{"tools":[7],"a":1.0}'],
    ['{ }', '{ "tools":[7]}'],
  ])('adds to a list: %s', (text, edited) => {
    expect(withItems(body(text), 'tools', [7]).text).toBe(edited);
  });

  it('leaves a request alone to which nothing is added', () => {
    const request = body('{ "a": 1 }');
    expect(withItems(request, 'tools', [])).toBe(request);
  });

  it('knows its own result, and keeps the text of everything else', () => {
    const member = fc.constantFrom('tools', 'messages', 'a', 'é"\\');
    // As text has them: no -0.
    const value = fc.jsonValue({ maxDepth: 2 }).map((given): unknown => JSON.parse(JSON.stringify(given)));
    const list = fc.array(value, { maxLength: 3 });
    const requests = fc.dictionary(member, fc.oneof(list, value));
    fc.assert(
      fc.property(requests, fc.constantFrom(undefined, 1, '\t'), member, list, (request, space, name, items) => {
        const before = body(JSON.stringify(request, null, space));
        for (const after of [withItems(before, name, items), withMember(before, name, items)]) {
          expect(after.value).toEqual(JSON.parse(after.text));
          expect(after.byteLength).toBe(
            items.length === 0 && after === before
              ? before.byteLength
              : new TextEncoder().encode(after.text).byteLength,
          );
          expect(after.members).toEqual(scanJson(after.text, 0).members);
          for (const [other, { start, end }] of before.members) {
            const span = after.members.get(other);
            if (other !== name) expect(after.text.slice(span?.start, span?.end)).toBe(before.text.slice(start, end));
          }
        }
      }),
    );
  });
});
