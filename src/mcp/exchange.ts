import type { ToolCaller, ToolInvoker } from './tool-call.ts';
import type { CallUpstreamTool, UpstreamViews } from './ports.ts';

/** One request of a client, as the methods need to know it. */
export interface Exchange {
  readonly era: 'modern' | 'legacy';
  readonly caller: ToolCaller;
  readonly upstreamViews: UpstreamViews;
  readonly toolInvoker: ToolInvoker;
  readonly callUpstreamTool?: CallUpstreamTool;
  /** Of the request's body. */
  readonly requestBytes: number;
  /** Aborts when the client hangs up or cancels. */
  readonly signal: AbortSignal;
}
