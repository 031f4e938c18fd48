// What a client is told at `initialize` and `server/discover`. The texts of upstreams are theirs, not ours: each stands
// in an element that names its author, and none can close that element.
import type { UpstreamViews } from './ports.ts';
import { DISCOVERY_DEADLINE_MS, INSTRUCTIONS_BYTES } from './limits.ts';
import type { Scope } from './scope.ts';

/** At most `INSTRUCTIONS_BYTES`; names every server in the scope as far as that reaches. */
export async function instructionsFor(scope: Scope, views: UpstreamViews): Promise<string> {
  const servers = await Promise.all(
    [...scope.grants].map(async ([name, { upstream }]) => {
      const { catalog } = await views.view(upstream, DISCOVERY_DEADLINE_MS);
      return { name, text: catalog?.instructions?.trim() ?? '' };
    }),
  );
  if (scope.naming === 'wire') return cutToBytes(servers[0]?.text ?? '', INSTRUCTIONS_BYTES);

  const names = servers.map(({ name }) => name).join(', ');
  const heading =
    servers.length === 0
      ? 'This key may use no server.'
      : `Tools are named <server>__<tool>. The servers are: ${names}.`;
  const spoken = servers.filter(({ text }) => text !== '');
  let instructions = cutToBytes(heading, INSTRUCTIONS_BYTES);
  for (const [index, { name, text }] of spoken.entries()) {
    // What one does not need, the next may use.
    const share = Math.floor((INSTRUCTIONS_BYTES - byteLength(instructions)) / (spoken.length - index));
    const [open, close] = [`\n\n<server name="${name}">\n`, '\n</server>'];
    const room = share - byteLength(open) - byteLength(close);
    if (room > 0) instructions += open + cutToBytes(withoutServerTags(text), room) + close;
  }
  return instructions;
}

function withoutServerTags(text: string): string {
  return text.replaceAll(/<(?=\/?server\b)/gi, '‹');
}

const CUT = '…';

function cutToBytes(text: string, limit: number): string {
  if (byteLength(text) <= limit) return text;
  const kept = new TextEncoder().encode(text).subarray(0, Math.max(0, limit - byteLength(CUT)));
  // A character cut in two decodes to a replacement at the end.
  return new TextDecoder().decode(kept).replace(/�+$/, '') + (limit >= byteLength(CUT) ? CUT : '');
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
