// `POST /v1/mcp/tool/execute`: runs one tool call as it stands in a model's answer, and answers with what belongs into
// the conversation after it.
import type { Context } from 'hono';
import { parseTags, TAGS_HEADER } from '../../../audit/tags.ts';
import { isObject } from '../../../lib/json-value.ts';
import { err, ok, type Result } from '../../../lib/result.ts';
import type { AgentDialect } from '../../../llm/agent/dialect.ts';
import { chatCompletionsDialect, messagesDialect, responsesDialect } from '../../../llm/agent/dialects.ts';
import type { ToolUse } from '../../../llm/agent/toolbox.ts';
import { failure, type Failure } from '../../../policy/failure.ts';
import type { AppEnv } from '../../app-env.ts';
import { errorResponse, type Dialect } from '../../error-response.ts';
import { readJson } from '../../read-json.ts';
import { toolboxFor } from './tool-injection.ts';

const CLIENT_LENGTH = 200;
/** Two parsers that disagree about a repeated `name` are two opinions on one request. */
const DUPLICATE_DEPTH = 2;

/** Runs behind `authenticate('openai')`. */
export async function executeTool(c: Context<AppEnv>): Promise<Response> {
  const { raw: request } = c.req;
  const { services, snapshot, virtualKey, requestId, receivedAt } = c.var;
  const refuse = (reason: Failure, dialect: Dialect = 'openai'): Response => errorResponse(reason, dialect, requestId);
  const tags = parseTags(request.headers.get(TAGS_HEADER));
  if (!tags.ok) return refuse(tags.error);
  const body = await readJson(request, {
    maxBytes: snapshot.settings.limits.request_bytes,
    duplicateDepth: DUPLICATE_DEPTH,
  });
  if (!body.ok) return refuse(body.error);
  const asked = readToolCall(body.value.value);
  if (!asked.ok) return refuse(asked.error);

  const { use, agent, errors } = asked.value;
  const client = request.headers.get('user-agent')?.slice(0, CLIENT_LENGTH);
  const caller = {
    virtualKey,
    settings: snapshot.settings,
    requestId,
    receivedAt,
    ...(client !== undefined && { client }),
    ...(tags.value !== undefined && { tags: tags.value }),
  };
  const toolbox = toolboxFor({ headers: request.headers, services, snapshot, virtualKey, caller });
  if (!toolbox.ok) return refuse(toolbox.error, errors);
  const answer = await toolbox.value.call(use, { signal: request.signal });
  return answer.ok ? c.json(agent.resultItem({ use, answer: answer.value })) : refuse(answer.error, errors);
}

interface AskedCall {
  readonly use: ToolUse;
  readonly agent: AgentDialect;
  readonly errors: Dialect;
}

const FORMS: readonly (readonly [type: string, agent: AgentDialect, errors: Dialect])[] = [
  ['function', chatCompletionsDialect, 'openai'],
  ['function_call', responsesDialect, 'openai'],
  ['tool_use', messagesDialect, 'anthropic'],
];

/** The three forms tell themselves apart by `type`, which Chat Completions alone may leave out. */
function readToolCall(value: unknown): Result<AskedCall, Failure> {
  const type = isObject(value) ? (value['type'] ?? 'function') : undefined;
  for (const [name, agent, errors] of FORMS) {
    const use = type === name ? agent.readToolUse(value) : undefined;
    if (use !== undefined) return ok({ use, agent, errors });
  }
  const text =
    'Send one tool call as the model made it: an item of "tool_calls" (Chat Completions), a "function_call" item (Responses) or a "tool_use" block (Messages), with its id and name.';
  return err(failure('invalid_request', text));
}
