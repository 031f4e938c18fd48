// What passes between a client and an upstream while one request is under way.
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/server';
import type { LoggingLevel } from '@modelcontextprotocol/server';
import { isObject, type JsonObject } from '../lib/json-value.ts';
import type { ClientRequest } from './client-request.ts';
import { isSevereEnough } from './log-level.ts';
import type { Spoken } from './protocol/message.ts';
import { qualifyTaskId, taskIdsMapped } from './task-id.ts';
import type { Hop } from './upstream-round.ts';

/** Keys of `_meta` that belong to one hop alone. */
const HOP_KEYS: ReadonlySet<string> = new Set([
  'progressToken',
  PROTOCOL_VERSION_META_KEY,
  CLIENT_INFO_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
  LOG_LEVEL_META_KEY,
]);

/** The client's `_meta` as an upstream is to read it; undefined where nothing is left of it. */
export function relayedMeta(meta: unknown): JsonObject | undefined {
  if (!isObject(meta)) return undefined;
  const kept = Object.entries(meta).filter(([key]) => !HOP_KEYS.has(key));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** The parameters as an upstream is to read them, names apart. Absent `_meta` stays absent. */
export function relayedParams({ _meta, ...params }: JsonObject): JsonObject {
  const meta = relayedMeta(_meta);
  return meta === undefined ? params : { ...params, _meta: meta };
}

/** @param params of the client's request */
export function hopOf(request: ClientRequest, upstream: string, params: JsonObject): Hop {
  const { peer, links, ask, onPause, requestStates, notify, caller } = request;
  const meta = params['_meta'];
  const progressToken = isObject(meta) ? meta['progressToken'] : undefined;
  const wantsProgress = typeof progressToken === 'string' || typeof progressToken === 'number';
  const { logLevel } = peer;
  const isShared = caller.scope.naming === 'qualified';
  return {
    links,
    wantsProgress,
    ...(logLevel !== undefined && { logLevel }),
    ...(ask !== undefined && { ask }),
    ...(onPause !== undefined && { onPause }),
    ...(requestStates !== undefined && { requestStates }),
    onNotification(spoken) {
      const heard = isShared ? attributed(spoken, upstream) : spoken;
      switch (heard.method) {
        case 'notifications/progress':
          if (wantsProgress) notify({ ...heard, params: { ...heard.params, progressToken } });
          return;
        case 'notifications/message':
          if (isLogged(heard, logLevel)) notify(heard);
          return;
        default:
          notify(heard);
      }
    },
  };
}

/** Whether a client that asked for this level wants to read the message. */
export function isLogged({ params }: Spoken, level: LoggingLevel | undefined): boolean {
  return level !== undefined && isSevereEnough(params, level);
}

/** With the name of the server that said it, where several speak to one client. */
export function attributed(spoken: Spoken, upstream: string): Spoken {
  const { method, params } = spoken;
  if (params === undefined) return spoken;
  if (method !== 'notifications/message') {
    const mapped = taskIdsMapped(params, (id) => qualifyTaskId(upstream, id));
    return { method, params: mapped };
  }
  const { logger } = params;
  return { method, params: { ...params, logger: typeof logger === 'string' ? `${upstream}/${logger}` : upstream } };
}
