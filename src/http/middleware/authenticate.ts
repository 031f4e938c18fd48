import type { Context, MiddlewareHandler } from 'hono';
import type { AuditEvent } from '../../audit/event.ts';
import { authenticate as authenticateRequest, type AuthDenial } from '../../auth/authenticate.ts';
import { ConfigurationUnavailable } from '../../config/stored.ts';
import { newId } from '../../lib/ids.ts';
import { describeFault, log } from '../../lib/log.ts';
import { failure } from '../../policy/failure.ts';
import type { PolicySnapshot } from '../../policy/snapshot.ts';
import type { AppEnv } from '../app-env.ts';
import { errorResponse, statusOf, type Dialect } from '../error-response.ts';
import { runRequest } from './running-requests.ts';

/** The payer under which denied requests are recorded: nobody knows whose they were. */
const UNAUTHENTICATED_PAYER = 'unauthenticated';
const MAX_CLIENT_CHARACTERS = 200;

/** Lets a request in by its virtual key, and leaves the snapshot it was judged by, the key and its principal. */
export function authenticate(dialect: Dialect): MiddlewareHandler<AppEnv> {
  return async function requireVirtualKey(c, next) {
    // One by one: `c.var` is a copy of all there is.
    const services = c.get('services');
    const receivedAt = c.get('receivedAt');
    let snapshot: PolicySnapshot;
    try {
      snapshot = await services.snapshot();
    } catch (fault) {
      return configurationUnavailable(c, fault, dialect);
    }
    const outcome = await authenticateRequest(c.req.raw, snapshot, services.hashVirtualKey, receivedAt);
    if (!outcome.ok) {
      const { failure: refusal, reason } = outcome.error;
      if (!recordDenial(c, reason, statusOf(refusal), outcome.error.virtualKey)) return auditUnavailable(c, dialect);
      const response = errorResponse(refusal, dialect, c.get('requestId'));
      // RFC 9110 §15.5.2 asks for a challenge, RFC 6750 §3.1 for the error only when there was a credential.
      if (response.status === 401)
        response.headers.set('www-authenticate', reason === 'missing_key' ? 'Bearer' : 'Bearer error="invalid_token"');
      return response;
    }
    c.set('snapshot', snapshot);
    c.set('virtualKey', outcome.value);
    c.set('principal', outcome.value.principal);
    return runRequest(c, next, dialect);
  };
}

/** @returns false when the denial could not be recorded */
export function recordDenial(
  c: Context<AppEnv>,
  reason: string,
  status: number,
  virtualKey?: AuthDenial['virtualKey'],
): boolean {
  const { services, requestId, receivedAt } = c.var;
  const client = c.req.header('user-agent')?.slice(0, MAX_CLIENT_CHARACTERS);
  const principal = virtualKey?.principal;
  const event: AuditEvent = {
    id: newId('evt', receivedAt),
    at: receivedAt,
    kind: 'auth.denied',
    outcome: 'denied',
    reason,
    request_id: requestId,
    status,
    ...(client === undefined ? {} : { client }),
    ...(principal === undefined ? {} : { key_id: principal.keyId, key_name: principal.keyName }),
    ...(principal?.team === undefined ? {} : { team: principal.team }),
    ...(principal?.customer === undefined ? {} : { customer: principal.customer }),
  };
  try {
    services.recorder.batched(UNAUTHENTICATED_PAYER, event);
    return true;
  } catch (fault) {
    log('error', 'audit.refused', { request_id: requestId, fault: describeFault(fault) });
    return false;
  }
}

export function auditUnavailable(c: Context<AppEnv>, dialect: Dialect): Response {
  const text = 'The gateway cannot write its audit record at present and lets nothing pass. Try again shortly.';
  return errorResponse(failure('audit_unavailable', text, { retryAfterSeconds: 1 }), dialect, c.var.requestId);
}

/** Without a configuration nobody can be let in. What the operator must do is said; what else went wrong is logged. */
export function configurationUnavailable(
  c: Context<AppEnv>,
  fault: unknown,
  dialect: Dialect,
  reader: 'anyone' | 'operator' = 'anyone',
): Response {
  log('error', 'configuration.unavailable', { request_id: c.var.requestId, fault: describeFault(fault) });
  const known = fault instanceof ConfigurationUnavailable;
  const text = known ? (reader === 'operator' ? fault.message : fault.shown) : 'Its log names the fault.';
  return errorResponse(
    failure('configuration_unavailable', `The gateway cannot use its configuration. ${text}`, { retryAfterSeconds: 1 }),
    dialect,
    c.var.requestId,
  );
}
