// How the admin API words what it answers: RFC 9457 problems, and objects in the field names of the file.
import type { Context, Handler } from 'hono';
import type { ConfigProblem } from '../../../config/check.ts';
import { toFailureProblems } from '../../../config/draft.ts';
import type { ShownObject } from '../../../config/ports.ts';
import { failure, type Failure, type FailureProblem } from '../../../policy/failure.ts';
import type { AppEnv } from '../../app-env.ts';
import { errorResponse } from '../../error-response.ts';

/** Members of an answer that are not part of the definition; a definition that is sent back may hold them. */
const ANSWER_MEMBERS = ['id', 'source', 'key_prefix', 'created_at', 'updated_at', 'warnings'] as const;

export function problem(c: Context<AppEnv>, refusal: Failure): Response {
  return errorResponse(refusal, 'problem', c.var.requestId);
}

/** The answer to methods that a path does not know. */
export function methodNotAllowed(...allowed: string[]): Handler<AppEnv> {
  return (c) => {
    const response = problem(c, failure('method_not_allowed', `Use ${allowed.join(' or ')} on ${c.req.path}.`));
    response.headers.set('allow', allowed.join(', '));
    return response;
  };
}

export function objectAnswer(object: ShownObject): Record<string, unknown> {
  return {
    ...object.document,
    id: object.id,
    source: object.source,
    ...(object.keyPrefix === undefined ? {} : { key_prefix: object.keyPrefix }),
    created_at: new Date(object.createdAt).toISOString(),
    updated_at: new Date(object.updatedAt).toISOString(),
  };
}

export function definitionOf(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(body).filter(([member]) => !ANSWER_MEMBERS.some((answered) => answered === member)),
  );
}

export function warningAnswers(warnings: readonly ConfigProblem[]): FailureProblem[] {
  return toFailureProblems(warnings);
}
