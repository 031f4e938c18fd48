// The addresses that the global setup hands to the tests in workerd.
export interface ProvidedUpstreams {
  /** Base URLs; the MCP endpoint is `/mcp`, of `misbehavingUrl` it is `/<quirk>/mcp`. */
  dualEraUrl: string;
  legacyUrl: string;
  misbehavingUrl: string;
  everythingUrl: string;
  /** See `upstream-changing.ts`. */
  changingUrl: string;
  /** An LLM provider of either dialect; `/v1/chat/completions` and `/v1/messages`. */
  providerFakeUrl: string;
  /** An HTTP API under `/v1`, its descriptions under `/spec/…`. */
  bookshopUrl: string;
  /** See `webhook-receiver.ts`. */
  webhookUrl: string;
}

declare module 'vitest' {
  interface ProvidedContext extends ProvidedUpstreams {}
}
