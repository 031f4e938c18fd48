// The dispatch: which method of which era is answered by what. A method of the other era is unknown.
import { isObject, type JsonObject } from '../lib/json-value.ts';
import { capabilitiesOf } from './capabilities.ts';
import type { ClientRequest, ServeRequest } from './client-request.ts';
import { DISCOVERY_DEADLINE_MS } from './limits.ts';
import type { Era } from './links.ts';
import { complete } from './methods/completion.ts';
import { callExtension, methodNotFound } from './methods/extensions.ts';
import { invalidParams } from './methods/failure-answer.ts';
import { discover, initialize, ping, setLogLevel } from './methods/introduction.ts';
import { listPrompts, listResources, listResourceTemplates, listTools } from './methods/lists.ts';
import { getPrompt } from './methods/prompts-get.ts';
import { readResource, subscribe, unsubscribe } from './methods/resources.ts';
import { callTool } from './methods/tools-call.ts';
import type { RpcAnswer } from './protocol/message.ts';

type Method = (request: ClientRequest, params: JsonObject) => Promise<RpcAnswer>;

const BOTH: readonly (readonly [string, Method])[] = [
  ['tools/list', listTools],
  ['tools/call', callTool],
  ['resources/list', listResources],
  ['resources/templates/list', listResourceTemplates],
  ['resources/read', readResource],
  ['prompts/list', listPrompts],
  ['prompts/get', getPrompt],
  ['completion/complete', complete],
];
const METHODS: Readonly<Record<Era, ReadonlyMap<string, Method>>> = {
  modern: new Map([...BOTH, ['server/discover', discover]]),
  legacy: new Map([
    ...BOTH,
    ['initialize', initialize],
    ['ping', ping],
    ['logging/setLevel', setLogLevel],
    ['resources/subscribe', subscribe],
    ['resources/unsubscribe', unsubscribe],
  ]),
};
/** Of the core, and not to be relayed as some extension's: what the other era, the transport, or clients answer. */
const NEVER_RELAYED: ReadonlySet<string> = new Set([
  ...METHODS.modern.keys(),
  ...METHODS.legacy.keys(),
  'subscriptions/listen',
  'sampling/createMessage',
  'elicitation/create',
  'roots/list',
]);
/** The capability that a server has to have declared for the method to be there. */
const NEEDS: ReadonlyMap<string, 'resources' | 'prompts' | 'completions' | 'logging'> = new Map([
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resources'],
  ['resources/read', 'resources'],
  ['resources/subscribe', 'resources'],
  ['resources/unsubscribe', 'resources'],
  ['prompts/list', 'prompts'],
  ['prompts/get', 'prompts'],
  ['completion/complete', 'completions'],
  ['logging/setLevel', 'logging'],
]);

export const serveRequest: ServeRequest = async (request, { method, params = {} }) => {
  const { _meta: meta } = params;
  if (meta !== undefined && !isObject(meta)) return invalidParams('"_meta" must be an object');
  const serve = METHODS[request.peer.era].get(method);
  if (serve === undefined) {
    return NEVER_RELAYED.has(method) ? methodNotFound() : callExtension(request, method, params);
  }
  return (await isThere(request, method)) ? serve(request, params) : methodNotFound();
};

/** One server's endpoint has the methods that the server has; where several share one, any of them may be the next. */
async function isThere(request: ClientRequest, method: string): Promise<boolean> {
  const needed = NEEDS.get(method);
  const { naming, grants } = request.caller.scope;
  const [sole] = grants.values();
  if (needed === undefined || naming === 'qualified' || sole === undefined) return true;
  const { catalog } = await request.upstreamViews.view(sole.upstream, DISCOVERY_DEADLINE_MS);
  // Of a server that has not come up yet nothing is known.
  return catalog === undefined || capabilitiesOf(catalog, sole)[needed] !== undefined;
}
