// Answers of a provider that are not the caller's to see: about the operator's credential, or from something else that
// sits where the provider should be. Every other answer, errors included, passes untouched.
import { failure, type Failure } from '../policy/failure.ts';

/**
 * A provider's 401 is about the provider key, and often quotes a part of it. Passed on, it would tell the caller to
 * change a credential that is in order.
 */
const ABOUT_THE_OPERATOR: ReadonlyMap<number, string> = new Map([
  [401, "did not accept the gateway's credential"],
  [402, "says the gateway's account has no credit"],
  [403, "does not let the gateway's credential do this"],
]);

export function refusedAnswer(response: Response, provider: string): Failure | undefined {
  const subject = `The provider "${provider}"`;
  const reason = ABOUT_THE_OPERATOR.get(response.status);
  if (reason !== undefined)
    return failure(
      'upstream_error',
      `${subject} ${reason} (status ${response.status}). Your own key is not at fault; whoever runs this gateway has to look at the provider's key.`,
    );
  const contentType = response.headers.get('content-type') ?? '';
  if (!contentType.startsWith('text/html')) return undefined;
  return failure(
    'upstream_error',
    `${subject} answered with an HTML page (status ${response.status}) in place of its API: its base_url may be wrong.`,
  );
}
