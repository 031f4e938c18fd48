// The addresses that the global setup hands to the tests in workerd.
export interface ProvidedUpstreams {
  /** Base URLs; the MCP endpoint is `/mcp`, of `misbehavingUrl` it is `/<quirk>/mcp`. */
  dualEraUrl: string;
  legacyUrl: string;
  misbehavingUrl: string;
  everythingUrl: string;
  /** An LLM provider of either dialect; `/v1/chat/completions` and `/v1/messages`. */
  providerFakeUrl: string;
}

declare module 'vitest' {
  interface ProvidedContext extends ProvidedUpstreams {}
}
