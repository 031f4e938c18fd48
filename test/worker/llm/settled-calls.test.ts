// Whatever becomes of a call that limits let pass, and whoever is still there to see it: what it held is given back once.
import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../../src/audit/event.ts';
import type { Limit } from '../../../src/budget/limits.ts';
import { settingsDocument } from '../../../src/config/document.ts';
import { scanJson } from '../../../src/lib/json-scan.ts';
import { callWithTools } from '../../../src/llm/agent/agent-loop.ts';
import { chatCompletionsDialect } from '../../../src/llm/agent/dialects.ts';
import { callModel, type LlmAnswer } from '../../../src/llm/call-model.ts';
import { OPERATIONS } from '../../../src/llm/operation.ts';
import { ok } from '../../../src/lib/result.ts';
import { wireTurn, type ScriptedTurn } from '../../support/agent-wire.ts';
import { countedTickets } from '../counted-tickets.ts';
import { autoTool, said } from './agent/agent-rig.ts';

const LIMIT: Limit = {
  id: 'calls of the key',
  tier: 'virtual_key',
  name: 'tester',
  metric: 'requests',
  amount: 9,
  window: { period: '1m', calendar: false },
};
const SETTINGS = settingsDocument.parse({});

type Provider = (signal: AbortSignal, call: number) => Response | Promise<Response>;

function rigOf(provider: Provider, { timeout, recordFails = false }: { timeout?: number; recordFails?: boolean } = {}) {
  const tickets = countedTickets();
  const events: AuditEvent[] = [];
  const lasting: Promise<unknown>[] = [];
  const caller = new AbortController();
  let calls = 0;
  const keep = (event: AuditEvent): void => {
    if (recordFails) throw new Error('the ledger is gone');
    events.push(event);
  };
  const ports = {
    now: () => Date.now(),
    waitUntil: (promise: Promise<unknown>) => void lasting.push(promise),
    random: () => 0,
    fetch: async (_input: RequestInfo | URL, init?: RequestInit) =>
      provider(init?.signal ?? new AbortController().signal, ++calls),
    refusesConnections: async () => false,
    statusOf: () => 500,
    admission: tickets,
    recorder: {
      durable: async (_payer: string, event: AuditEvent) => keep(event),
      batched: (_payer: string, event: AuditEvent) => keep(event),
      settled: () => undefined,
    },
  };
  const principal = { kind: 'virtual_key', keyId: 'vk_1', keyName: 'tester', payer: 'key:vk_1' } as const;
  const who = {
    virtualKey: {
      principal,
      providers: new Map([['p', { models: ['*'], weight: 1 }]]),
      limits: { own: [LIMIT], providers: new Map(), mcpClients: new Map() },
    },
    settings: SETTINGS,
    requestId: 'req_1',
    receivedAt: 1,
  };
  const body = { model: 'p/model-1', stream: true, messages: [{ role: 'user', content: 'Go on.' }] };
  const text = JSON.stringify(body);
  const request = {
    operation: OPERATIONS.chatCompletions,
    body: { text, value: body, members: scanJson(text, 0).members, byteLength: text.length },
    headers: new Headers(),
    search: '',
    signal: caller.signal,
    providers: new Map([
      [
        'p',
        {
          name: 'p',
          type: 'openai',
          base_url: 'http://provider.test',
          keys: [],
          ...(timeout !== undefined && { timeout }),
        },
      ],
    ]),
  };
  return {
    tickets,
    events,
    caller,
    call: () => callModel(ports, who, request),
    callWithTools: () =>
      callWithTools(
        {
          ...ports,
          errorBody: async () => ({}),
          toolbox: { list: async () => [autoTool('files__read')], call: async () => ok(said('done')) },
        },
        who,
        { ...request, agent: chatCompletionsDialect, maxDepth: 5 },
      ),
    /** Whatever the calls keep going. */
    over: () => Promise.all(lasting),
  };
}

function bodyOf(answer: Awaited<ReturnType<typeof callModel>>): LlmAnswer['body'] {
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value.body;
}

function stream(pull: (controller: ReadableStreamDefaultController<Uint8Array>) => void | Promise<void>): Response {
  return new Response(new ReadableStream({ pull }), { headers: { 'content-type': 'text/event-stream' } });
}

const turn = (scripted: ScriptedTurn, number: number): Uint8Array =>
  new TextEncoder().encode(wireTurn('chat', 'model-1', scripted, number).events.join(''));

const wholeStream = (scripted: ScriptedTurn, number = 0): Response => {
  const pieces = [turn(scripted, number)];
  return stream((controller) => {
    const piece = pieces.shift();
    if (piece === undefined) controller.close();
    else controller.enqueue(piece);
  });
};
/** Says a word and no more. */
const stalled = (signal: AbortSignal): Response => {
  let told = false;
  return stream(async (controller) => {
    if (!told) {
      told = true;
      controller.enqueue(new TextEncoder().encode('data: {"choices":[{"delta":{"content":"so"}}]}\n\n'));
      return;
    }
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    controller.error(signal.reason);
  });
};

describe('a stream that nobody reads', () => {
  it('is over when its caller leaves', async () => {
    const rig = rigOf(stalled);
    await rig.call();
    expect(rig.tickets.open).toBe(1);
    rig.caller.abort();
    await rig.over();
    expect([rig.tickets.admitted, rig.tickets.open]).toEqual([1, 0]);
    expect(rig.events).toMatchObject([{ outcome: 'cancelled', reason: 'client_cancelled' }]);
  });

  it('is over when its provider falls silent', async () => {
    const rig = rigOf(stalled, { timeout: 30 });
    await rig.call();
    await rig.over();
    expect([rig.tickets.admitted, rig.tickets.open]).toEqual([1, 0]);
    expect(rig.events).toMatchObject([{ outcome: 'error', reason: 'upstream_timeout' }]);
  });

  it('is over where its caller left the moment it began', async () => {
    const rig = rigOf(() => {
      rig.caller.abort();
      return wholeStream({ text: 'hi' });
    });
    await rig.call();
    await rig.over();
    expect([rig.tickets.admitted, rig.tickets.open]).toEqual([1, 0]);
    expect(rig.events).toMatchObject([{ outcome: 'cancelled' }]);
  });

  it('is over where its caller left while the model was called again', async () => {
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const rig = rigOf(async (_signal, call) => {
      if (call === 1) return wholeStream({ calls: [{ id: 'c1', name: 'files__read', arguments: {} }] });
      asked.resolve();
      // Whatever the network makes of the abort, here the answer was under way already.
      await answered.promise;
      return wholeStream({ text: 'hi' }, 1);
    });
    const reader = new Response(bodyOf(await rig.callWithTools())).body?.getReader();
    const reading = (async () => {
      while ((await reader?.read())?.done === false);
    })();
    await asked.promise;
    const leaving = reader?.cancel();
    answered.resolve();
    await Promise.all([leaving, reading]);
    await rig.over();
    expect([rig.tickets.admitted, rig.tickets.open]).toEqual([2, 0]);
  });
});

const refused = (status: number) => (): Response => Response.json({ error: { message: 'no' } }, { status });

describe('a call', () => {
  it.each<[string, Provider]>([
    ['answered', () => Response.json(wireTurn('chat', 'model-1', { text: 'hi' }, 0).json)],
    ['streamed', () => wholeStream({ text: 'hi' })],
    ['refused', refused(429)],
    ['refused for the key of the operator', refused(401)],
    ['sent elsewhere', () => new Response(null, { status: 307, headers: { location: '/else' } })],
    ['answered with a page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['answered with nothing', () => new Response(null, { status: 204 })],
    ['broken off', () => stream((controller) => controller.error(new Error('Network connection lost.')))],
    ['not made for a fault of the gateway', () => Promise.reject(new TypeError('a fault'))],
  ])('%s is settled once, recorded or not', async (_how, provider) => {
    for (const recordFails of [false, true]) {
      const rig = rigOf(provider, { recordFails });
      const answer = await rig.call().catch(() => undefined);
      if (answer?.ok === true) await new Response(answer.value.body).arrayBuffer().catch(() => undefined);
      await rig.over();
      expect([rig.tickets.admitted, rig.tickets.used.map(({ requests }) => requests)]).toEqual([1, [1]]);
      expect(rig.events).toHaveLength(recordFails ? 0 : 1);
    }
  });
});
