const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether a request comes from a browser page of somebody else's site. DNS rebinding makes such a page look as if it
 * came from this very host; so loopback pages pass, and those of this host over TLS, for which a rebound name would
 * need our certificate. Who is no browser sends no `Origin`.
 */
export function isForeignOrigin(headers: Headers): boolean {
  const origin = headers.get('origin');
  if (origin === null || origin === '') return false;
  const url = URL.parse(origin);
  if (url === null) return true;
  if (url.protocol === 'https:' && url.host === headers.get('host')) return false;
  return !(isWeb(url) && LOOPBACK.has(url.hostname));
}

function isWeb(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:';
}
