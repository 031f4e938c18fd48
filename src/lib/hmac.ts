const encoder = new TextEncoder();

/** HMAC-SHA-256 of the text's UTF-8, as 64 lower-case hexadecimal digits. */
export async function hmacHex(key: CryptoKey, text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text)));
  let hex = '';
  for (const byte of digest) hex += byte.toString(16).padStart(2, '0');
  return hex;
}
