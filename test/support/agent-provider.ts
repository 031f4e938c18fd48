// A loopback provider of all three dialects that calls tools. The model's name picks the script; the script sees how
// often tools were run in the conversation so far.
import { listen, readText, sendJson, type Fixture } from './fixture-http.ts';
import { dialectOfPath, wireTurn, type AgentWireDialect, type ScriptedTurn } from './agent-wire.ts';

export type AgentScript = (round: number, request: AgentProviderRequest) => ScriptedTurn;

export interface AgentProviderRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly tools?: readonly Record<string, unknown>[];
  readonly messages?: readonly Record<string, unknown>[];
  readonly input?: string | readonly Record<string, unknown>[];
}

export interface AgentProvider extends Fixture {
  /** What was received, in order. */
  readonly seen: readonly {
    readonly dialect: AgentWireDialect;
    readonly text: string;
    readonly body: AgentProviderRequest;
  }[];
}

export async function startAgentProvider(scripts: Readonly<Record<string, AgentScript>>): Promise<AgentProvider> {
  const seen: { dialect: AgentWireDialect; text: string; body: AgentProviderRequest }[] = [];
  const fixture = await listen((request, response) => {
    void readText(request).then((text) => {
      const dialect = dialectOfPath(request.url ?? '');
      const body = JSON.parse(text) as AgentProviderRequest;
      seen.push({ dialect, text, body });
      const script = scripts[body.model];
      if (script === undefined) return sendJson(response, { error: { message: `no script ${body.model}` } }, 404);
      const round = roundsIn(body);
      const wire = wireTurn(dialect, body.model, script(round, body), round);
      if (body.stream !== true) return sendJson(response, wire.json);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of wire.events) response.write(event);
      return response.end();
    });
  });
  return { ...fixture, seen };
}

/** How many turns of the model in which it called tools the conversation holds. */
function roundsIn({ messages, input }: AgentProviderRequest): number {
  if (messages !== undefined) return messages.filter(callsTools).length;
  const ids = typeof input === 'string' || input === undefined ? [] : input.flatMap(({ id }) => String(id));
  return new Set(ids.flatMap((id) => /^fc_(\d+)_/.exec(id)?.[1] ?? [])).size;
}

function callsTools({ role, tool_calls: calls, content }: Record<string, unknown>): boolean {
  if (role !== 'assistant') return false;
  return calls !== undefined || (Array.isArray(content) && content.some(({ type }) => type === 'tool_use'));
}
