import type { RpcError } from '../protocol/message.ts';

/** The upstream answered with a JSON-RPC error: it is well, the request was not. */
export class AnsweredError extends Error {
  override readonly name = 'AnsweredError';
  readonly answer: RpcError;

  constructor(answer: RpcError) {
    super(answer.message);
    this.answer = answer;
  }
}
