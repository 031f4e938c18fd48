// The secret of a webhook as Standard Webhooks serialises it: base64, behind `whsec_` or not.
import { decodeBase64 } from '../lib/base64url.ts';

/** @returns the key that posts are signed with; undefined when the secret is not base64 */
export function webhookKey(secret: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = decodeBase64(secret.replace(/^whsec_/, ''));
  return bytes === undefined || bytes.byteLength === 0 ? undefined : bytes;
}
