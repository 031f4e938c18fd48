/** Whether two secrets are equal, in a time that tells nothing of where they differ or how long they are. */
export async function equalSecrets(left: string, right: string): Promise<boolean> {
  const encoder = new TextEncoder();
  const [leftDigest, rightDigest] = await Promise.all(
    [left, right].map((text) => crypto.subtle.digest('SHA-256', encoder.encode(text))),
  );
  return (
    leftDigest !== undefined && rightDigest !== undefined && crypto.subtle.timingSafeEqual(leftDigest, rightDigest)
  );
}
