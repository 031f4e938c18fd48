import { Hono } from 'hono';
import type { HealthReport } from '../../../health/report.ts';
import { failure } from '../../../policy/failure.ts';
import type { AppEnv } from '../../app-env.ts';
import { methodNotAllowed, problem } from './answers.ts';

export function serverHealthRoutes(): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get('/', async (c) => {
    const { services } = c.var;
    const name = c.req.param('name') ?? '';
    if (!(await services.snapshot()).upstreams.has(name))
      return problem(c, failure('not_found', `There is no server named "${name}".`));
    return c.json({ server: name, ...healthAnswer(await services.healthRecords.peek(name)) });
  });
  routes.all('/', methodNotAllowed('GET'));
  return routes;
}

function healthAnswer(report: HealthReport): Record<string, unknown> {
  const { lastError } = report;
  return {
    state: report.state,
    breaker: report.breaker,
    era: report.era ?? null,
    tool_count: report.toolCount,
    resource_count: report.resourceCount ?? 0,
    resource_template_count: report.resourceTemplateCount ?? 0,
    prompt_count: report.promptCount ?? 0,
    withheld_count: report.definitions?.withheld ?? 0,
    pending_count: report.definitions?.pending ?? 0,
    finding_count: report.definitions?.findings ?? 0,
    note: report.note ?? null,
    consecutive_failures: report.consecutiveFailures,
    latency_ms: report.latencyMs ?? null,
    checked_at: timeAnswer(report.checkedAt),
    next_check_at: timeAnswer(report.nextCheckAt),
    retry_at: timeAnswer(report.retryAt),
    last_error:
      lastError === undefined
        ? null
        : {
            stage: lastError.stage,
            message: lastError.message,
            at: timeAnswer(lastError.at),
            since: timeAnswer(lastError.since),
          },
  };
}

function timeAnswer(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString();
}
