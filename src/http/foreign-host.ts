// Who may have sent a browser here. A page whose name is made to resolve to this machine (DNS rebinding) is of the same
// origin as whatever listens here; its name in `Host` and `Origin` gives it away.

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
/** What containers call the machine they run on. Nobody can own a name under `.internal` (ICANN, 2024). */
const CONTAINER_HOSTS = new Set(['host.docker.internal', 'host.containers.internal']);
const ANY = '*';

/**
 * Whether a request comes from a page of somebody else's site. Loopback pages pass, and those of this host over TLS, for
 * which a rebound name would need our certificate. Who is no browser sends no `Origin`.
 */
export function isForeignOrigin(headers: Headers): boolean {
  const origin = headers.get('origin');
  if (origin === null || origin === '') return false;
  const url = URL.parse(origin);
  if (url === null) return true;
  if (url.protocol === 'https:' && url.host === headers.get('host')) return false;
  return !(isWeb(url) && LOOPBACK.has(url.hostname));
}

/**
 * Whether a request was sent to a name that is not ours. Addresses pass: only names can be rebound.
 * @param allowedHosts names besides those of this machine, parted by commas, `*` for all; where it is not set, whoever
 *   stands in front knows what is ours
 */
export function isForeignHost(headers: Headers, allowedHosts: string | undefined): boolean {
  if (allowedHosts === undefined) return false;
  const allowed = new Set(allowedHosts.split(',').map((name) => name.trim().toLowerCase()));
  if (allowed.has(ANY)) return false;
  const name = URL.parse(`http://${headers.get('host') ?? ''}`)?.hostname.replace(/\.$/, '');
  if (name === undefined || name === '') return true;
  if (isAddress(name) || name === 'localhost' || name.endsWith('.localhost')) return false;
  return !CONTAINER_HOSTS.has(name) && !allowed.has(name);
}

/** As `URL` writes hosts: an IPv6 address in brackets, an IPv4 address in four numbers. */
function isAddress(hostname: string): boolean {
  return hostname.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(hostname);
}

function isWeb(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:';
}
