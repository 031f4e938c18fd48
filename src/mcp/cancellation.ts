// Legacy clients cancel in a request of its own: `notifications/cancelled` names the JSON-RPC id of the call. Ids are
// unique per client only, and without a session nothing tells two clients of one key apart; so a cancellation counts
// only where exactly one running request can be meant. A missed one costs the upstream some work, a wrong one a result.

const running = new Map<string, Set<() => void>>();

/**
 * @param client whatever is known to tell this client from others
 * @param cancel runs in the request that cancels: it may settle a promise, and must touch no I/O of its own request
 * @returns ends the tracking
 */
export function trackRequest(client: string, requestId: string | number, cancel: () => void): () => void {
  const name = nameOf(client, requestId);
  const named = running.get(name) ?? new Set();
  running.set(name, named.add(cancel));
  return () => {
    named.delete(cancel);
    if (named.size === 0) running.delete(name);
  };
}

export function cancelRequest(client: string, requestId: string | number): void {
  const named = running.get(nameOf(client, requestId));
  if (named?.size === 1) for (const cancel of named) cancel();
}

function nameOf(client: string, requestId: string | number): string {
  return JSON.stringify([client, requestId]);
}
