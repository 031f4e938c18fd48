import type { Context, MiddlewareHandler } from 'hono';
import { bearerOf } from '../../auth/credential.ts';
import { equalSecrets } from '../../lib/constant-time.ts';
import { failure, type Failure } from '../../policy/failure.ts';
import type { AppEnv } from '../app-env.ts';
import { errorResponse, statusOf } from '../error-response.ts';
import { auditUnavailable, recordDenial } from './authenticate.ts';

/** Lets a request in by the operator's token. A virtual key opens nothing here. */
export function adminAuth(): MiddlewareHandler<AppEnv> {
  return async function requireAdminToken(c, next) {
    const adminToken = c.env.SALLYPORT_ADMIN_TOKEN;
    if (adminToken === undefined || adminToken === '') {
      const text =
        'The admin API is closed: SALLYPORT_ADMIN_TOKEN is not set. Set it in the environment of the gateway and restart it.';
      return errorResponse(failure('configuration_unavailable', text), 'problem', c.var.requestId);
    }
    if (await isInQuery(c.req.url, adminToken)) {
      const text =
        'The admin token was sent in the URL, where logs keep it. Send it as `Authorization: Bearer <token>`, and replace it.';
      return refuse(c, 'key_in_query', failure('invalid_request', text));
    }
    const presented = bearerOf(c.req.header('authorization') ?? '');
    if (presented === undefined || !(await equalSecrets(presented, adminToken))) {
      const text =
        'Send the admin token as `Authorization: Bearer <token>`. A virtual key does not open the admin API.';
      const response = refuse(c, 'not_admin', failure('invalid_key', text));
      if (response.status === 401) response.headers.set('www-authenticate', 'Bearer');
      return response;
    }
    return next();
  };
}

function refuse(c: Context<AppEnv>, reason: string, refusal: Failure): Response {
  if (!recordDenial(c, reason, statusOf(refusal))) return auditUnavailable(c, 'problem');
  return errorResponse(refusal, 'problem', c.var.requestId);
}

async function isInQuery(url: string, adminToken: string): Promise<boolean> {
  if (!url.includes('?')) return false;
  for (const value of new URL(url).searchParams.values()) if (await equalSecrets(value, adminToken)) return true;
  return false;
}
