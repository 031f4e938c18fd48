// Tool definitions of a server: what is pinned, what waits for approval, what the scanner found; and the approval.
import { Hono, type Context } from 'hono';
import { z } from 'zod';
import { invalid } from '../../../config/draft.ts';
import { excerptAround } from '../../../trust/excerpt.ts';
import { err, ok, type Result } from '../../../lib/result.ts';
import { failure, type Failure } from '../../../policy/failure.ts';
import type { Upstream } from '../../../policy/snapshot.ts';
import type { ApprovalConflict, ApprovalRequest, DefinitionsReport } from '../../../trust/ports.ts';
import type { AppEnv } from '../../app-env.ts';
import { methodNotAllowed, problem } from './answers.ts';
import { readAdminBody } from './body.ts';

const namedTool = z.strictObject({ name: z.string().min(1), hash: z.string().min(1).optional() });
/** A hash is of the definition that was read: the approval is refused when the server lists another by now. */
export const approvalBody = z.strictObject({
  tools: z
    .array(z.union([z.string().min(1), namedTool]))
    .min(1)
    .optional(),
});

export function definitionRoutes(): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get('/definitions', async (c) => {
    const upstream = await configured(c);
    if (!upstream.ok) return problem(c, upstream.error);
    return c.json(definitionsAnswer(upstream.value, await c.var.services.definitionRecords.read(upstream.value.name)));
  });
  routes.all('/definitions', methodNotAllowed('GET'));

  routes.post('/approve', async (c) => {
    const upstream = await configured(c);
    if (!upstream.ok) return problem(c, upstream.error);
    const request = await readApproval(c);
    if (!request.ok) return problem(c, request.error);
    const { name } = upstream.value;
    const outcome = await c.var.services.definitionRecords.approve(name, request.value);
    if (!outcome.ok) return problem(c, conflict(name, outcome.conflicts));
    return c.json({ server: name, approved: outcome.approved });
  });
  routes.all('/approve', methodNotAllowed('POST'));
  return routes;
}

async function configured(c: Context<AppEnv>): Promise<Result<Upstream, Failure>> {
  const name = c.req.param('name') ?? '';
  const upstream = (await c.var.services.snapshot()).upstreams.get(name);
  return upstream === undefined ? err(failure('not_found', `There is no server named "${name}".`)) : ok(upstream);
}

/** Without a body, everything that waits. */
async function readApproval(c: Context<AppEnv>): Promise<Result<ApprovalRequest, Failure>> {
  const { requestId } = c.var;
  if (c.req.raw.body === null || c.req.header('content-length') === '0') return ok({ requestId });
  const body = await readAdminBody(c.req.raw);
  if (!body.ok) return body;
  const parsed = approvalBody.safeParse(body.value);
  if (!parsed.success) {
    const fix = 'send {"tools": [{"name": …, "hash": …}]}, names alone, or no body for all that waits';
    return err(invalid(parsed.error.issues.map(({ path, message }) => ({ path: path.map(step), message, fix }))));
  }
  const tools = parsed.data.tools?.map((tool) => (typeof tool === 'string' ? { name: tool } : named(tool)));
  return ok({ requestId, ...(tools === undefined ? {} : { tools }) });
}

function step(key: PropertyKey): string | number {
  return typeof key === 'number' ? key : String(key);
}

function named({ name, hash }: z.output<typeof namedTool>): { readonly name: string; readonly hash?: string } {
  return hash === undefined ? { name } : { name, hash };
}

function conflict(server: string, conflicts: readonly ApprovalConflict[]): Failure {
  const text = `Nothing was approved. Read /api/servers/${server}/definitions again and approve what it shows.`;
  const problems = conflicts.map(({ name, reason }) => ({
    path: excerptAround(name),
    message: reason === 'changed' ? 'has another definition by now' : 'is not listed by the server',
  }));
  return failure('conflict', text, { problems });
}

function definitionsAnswer(upstream: Upstream, report: DefinitionsReport): Record<string, unknown> {
  return {
    server: upstream.name,
    trust: upstream.trust ?? 'open',
    scan: upstream.scan ?? 'report',
    pinned: report.pinned.map(({ name, hash, approval, firstSeenAt, approvedAt, goneSince }) => ({
      name,
      hash,
      approval,
      first_seen_at: timeAnswer(firstSeenAt),
      approved_at: timeAnswer(approvedAt),
      gone_since: goneSince === null ? null : timeAnswer(goneSince),
    })),
    pending: report.withheld
      .filter(({ reason }) => reason !== 'finding')
      .map(({ name, hash, since, reason, diff }) => ({ name, hash, since: timeAnswer(since), change: reason, diff })),
    blocked: report.withheld
      .filter(({ reason }) => reason === 'finding')
      .map(({ name, hash, since }) => ({ name, hash, since: timeAnswer(since) })),
    findings: report.findings,
  };
}

function timeAnswer(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
