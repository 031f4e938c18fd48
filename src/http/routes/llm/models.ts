import type { Context } from 'hono';
import { operatorFetch } from '../../../egress/fetch.ts';
import { listModels, type ListedModel } from '../../../llm/model-list.ts';
import { GEMINI_METHODS, type LlmDialect } from '../../../llm/operation.ts';
import { failure } from '../../../policy/failure.ts';
import type { AppEnv } from '../../app-env.ts';
import { errorResponse } from '../../error-response.ts';

/** @param only leaves out the providers that do not speak the dialect */
export async function serveModels(
  c: Context<AppEnv>,
  dialect: LlmDialect,
  only: LlmDialect | undefined,
): Promise<Response> {
  const models = await modelsOf(c, only);
  const data = models.map((model) => SHAPES[dialect](model));
  if (dialect === 'openai') return c.json({ object: 'list', data });
  if (dialect === 'gemini') return c.json({ models: data });
  const ids = models.map(({ id }) => id);
  return c.json({ data, has_more: false, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null });
}

/** @param id `provider/model`, as the list has it */
export async function serveModel(
  c: Context<AppEnv>,
  id: string,
  dialect: LlmDialect,
  only: LlmDialect | undefined,
): Promise<Response> {
  const model = (await modelsOf(c, only)).find((listed) => listed.id === id);
  if (model !== undefined) return c.json(SHAPES[dialect](model));
  const text = `There is no model "${id.slice(0, 200)}" for this key; GET /v1/models lists what is.`;
  return errorResponse(failure('model_not_found', text, { param: 'model' }), dialect, c.var.requestId);
}

function modelsOf(c: Context<AppEnv>, only: LlmDialect | undefined): Promise<readonly ListedModel[]> {
  const { services, virtualKey, snapshot } = c.var;
  return listModels({ now: services.now, fetch: operatorFetch(c.env) }, virtualKey, snapshot, only);
}

// When a model was made is not known here; both formats want a date.
const SHAPES = {
  openai: ({ id, provider }: ListedModel) => ({ id, object: 'model', created: 0, owned_by: provider }),
  anthropic: ({ id }: ListedModel) => ({
    id,
    type: 'model',
    display_name: id,
    created_at: '1970-01-01T00:00:00Z',
  }),
  gemini: ({ id }: ListedModel) => ({
    name: `models/${id}`,
    displayName: id,
    supportedGenerationMethods: GEMINI_METHODS,
  }),
} as const satisfies Record<LlmDialect, (model: ListedModel) => unknown>;
