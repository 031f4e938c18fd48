// The one call that the older way to upstreams knows, as a link.
import { isObject } from '../../lib/json-value.ts';
import { ok } from '../../lib/result.ts';
import type { UpstreamLinks } from '../links.ts';
import type { CallUpstreamTool } from '../ports.ts';

export function linksOver(callUpstreamTool: CallUpstreamTool | undefined, owner: string): UpstreamLinks {
  if (callUpstreamTool === undefined) throw new TypeError('neither links nor a way to call tools');
  return {
    async request(upstream, { params = {}, signal, wantsProgress, onNotification }) {
      const { name, arguments: given, _meta: meta } = params;
      const outcome = await callUpstreamTool(upstream, owner, {
        name: String(name),
        signal,
        ...(isObject(given) && { arguments: given }),
        ...(isObject(meta) && { meta }),
        ...(wantsProgress && {
          onProgress: (progress) => onNotification?.({ method: 'notifications/progress', params: { ...progress } }),
        }),
      });
      return outcome.ok ? ok({ ...outcome.value }) : outcome;
    },
    listen: () => ({ resubscribe: async () => undefined, close: () => undefined }),
  };
}
