import { encodeBase64Url } from './base64url.ts';

const encoder = new TextEncoder();

/** SHA-256 of the text's UTF-8, in base64url. */
export async function sha256(text: string): Promise<string> {
  return encodeBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text))));
}
