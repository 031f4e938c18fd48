import { at, listAt, parseJson, textAt } from '../../../lib/json-value.ts';
import type { SseEvent } from '../../../lib/sse-parser.ts';
import { generatedBytes } from '../../generated-bytes.ts';
import { responseFacts, ToolUseIds, type ResponseFacts, type ResponseReader } from '../../response-reader.ts';
import { believableUsage, isCount, termsOf } from '../../told-usage.ts';
import { responsesCounts } from './counts.ts';

/** Events after which nothing of interest follows; each carries the whole response. */
const FINAL_EVENTS = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/** Deltas in base64: what they say is told in a transcript. */
const SOUND_DELTAS = new Set(['response.audio.delta', 'response.output_audio.delta']);

/** A tool that the provider ran itself. */
interface ProviderRun {
  readonly type: string;
  readonly container: string | undefined;
}

/** A stream reports usage in its final event only. One cut short counts its deltas, each at least one output token. */
export class ResponsesReader implements ResponseReader {
  readonly #toolUseIds = new ToolUseIds();
  #response: unknown;
  #model: string | undefined;
  #deltas = 0;
  #bytes: number | undefined;
  #ran: ProviderRun[] = [];
  #isFinished = false;
  #hasFailed = false;

  readBody(body: unknown): void {
    this.#readResponse(body);
    if (at(body, 'output') !== undefined) this.#bytes = generatedBytes(listAt(body, 'output').filter(isSaid));
    this.#deltas = (this.#bytes ?? 0) > 0 ? 1 : 0;
    this.#isFinished = true;
  }

  readEvent({ type, data }: SseEvent): void {
    this.#bytes ??= 0;
    if (type.endsWith('.delta')) {
      this.#deltas++;
      if (!SOUND_DELTAS.has(type)) this.#bytes = (this.#bytes ?? 0) + generatedBytes(at(parseJson(data), 'delta'));
    } else if (type === 'response.output_item.done') this.#readItem(at(parseJson(data), 'item'));
    else if (type === 'response.created') this.#model = textAt(parseJson(data), 'response', 'model');
    else if (type === 'error') this.#hasFailed = true;
    else if (FINAL_EVENTS.has(type)) {
      this.#readResponse(at(parseJson(data), 'response'));
      this.#isFinished = true;
      if (type === 'response.failed') this.#hasFailed = true;
    }
  }

  facts(): ResponseFacts {
    const searches = at(this.#response, 'tool_usage', 'web_search', 'num_requests');
    const usage = believableUsage(
      {
        ...responsesCounts(at(this.#response, 'usage')),
        ...counted('webSearches', isCount(searches) ? searches : this.#count('web_search_call')),
        ...counted('fileSearches', this.#count('file_search_call')),
        ...counted('codeSessions', this.#containers()),
      },
      {
        // Of an answer too large to be read, the tools that the provider ran are not known.
        isFinal: this.#isFinished && (at(this.#response, 'output') !== undefined || isCount(searches)),
        pieces: this.#deltas,
        hasOutput: true,
        terms: termsOf({ tier: at(this.#response, 'service_tier') }),
        // Images are made by another model, at its price.
        hasOtherCharges: this.#count('image_generation_call') > 0,
      },
    );
    const told = {
      toolUseIds: this.#toolUseIds.list(),
      isWhole: this.#isFinished,
      isFinished: this.#isFinished,
      hasFailed: this.#hasFailed,
    };
    return responseFacts(usage, this.#model, told, this.#bytes);
  }

  #readResponse(response: unknown): void {
    this.#response = response;
    this.#model = textAt(response, 'model') ?? this.#model;
    const output = listAt(response, 'output');
    // The final event has all items once more.
    if (output.length > 0) this.#ran = [];
    for (const item of output) this.#readItem(item);
  }

  #readItem(item: unknown): void {
    const type = textAt(item, 'type');
    // Calls of functions and custom tools have a call id; by it the result is handed in.
    if (type === 'function_call' || type === 'custom_tool_call') this.#toolUseIds.add(textAt(item, 'call_id'));
    // To open a page that was found is free.
    else if (type === 'web_search_call' && (textAt(item, 'action', 'type') ?? 'search') !== 'search') return;
    else if (type?.endsWith('_call') === true) this.#ran.push({ type, container: textAt(item, 'container_id') });
  }

  #count(ofType: string): number {
    return this.#ran.filter(({ type }) => type === ofType).length;
  }

  /** Code runs in containers, which are charged for, however often they are used. */
  #containers(): number {
    const calls = this.#ran.filter(({ type }) => type === 'code_interpreter_call');
    return new Set(calls.map(({ container }) => container)).size;
  }
}

/** Calls that the provider ran itself hold what others said: results, sources, pictures. */
function isSaid(item: unknown): boolean {
  const type = textAt(item, 'type') ?? '';
  return !type.endsWith('_call') || type === 'function_call' || type === 'custom_tool_call';
}

function counted(name: string, count: number): Record<string, number> {
  return count > 0 ? { [name]: count } : {};
}
