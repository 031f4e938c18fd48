// Legacy clients cancel in a request of its own: `notifications/cancelled` names the JSON-RPC id of the call. Ids are
// unique per client only, and without a session nothing tells two clients of one key apart; so a cancellation counts
// only where exactly one running request can be meant. A missed one costs the upstream some work, a wrong one a result.
//
// The two requests share no I/O object and no promise: one leaves a mark, the other looks for it.

const running = new Map<string, Set<RunningRequest>>();

export interface RunningRequest {
  cancelled: boolean;
}

/** @param client whatever is known to tell this client from others */
export function trackRequest(client: string, requestId: string | number): RunningRequest {
  const request = { cancelled: false };
  const name = nameOf(client, requestId);
  running.set(name, (running.get(name) ?? new Set()).add(request));
  return request;
}

export function forgetRequest(client: string, requestId: string | number, request: RunningRequest): void {
  const name = nameOf(client, requestId);
  const named = running.get(name);
  named?.delete(request);
  if (named?.size === 0) running.delete(name);
}

export function cancelRequest(client: string, requestId: string | number): void {
  const named = running.get(nameOf(client, requestId));
  if (named?.size === 1) for (const request of named) request.cancelled = true;
}

function nameOf(client: string, requestId: string | number): string {
  return JSON.stringify([client, requestId]);
}
