// A stream that is under way when the gateway is asked to end: its caller gets all of it, the audit its event.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type GatewayProcess } from '../../support/gateway-process.ts';

const CHUNKS = 8;
const CHUNK_EVERY_MS = 200;
const KEY = 'vk-drain-test-key';

/** Says one word at a time, in OpenAI's way. */
function slowProvider(): Server {
  return createServer(async (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let index = 0; index < CHUNKS; index++) {
      const chunk = {
        id: 'c',
        object: 'chat.completion.chunk',
        model: 'm',
        choices: [{ index: 0, delta: { content: `word ${index} ` } }],
      };
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
      await sleep(CHUNK_EVERY_MS);
    }
    response.end('data: [DONE]\n\n');
  });
}

describe('the end of a gateway', () => {
  const provider = slowProvider();
  let config: string;
  const started: GatewayProcess[] = [];

  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      provider.listen(0, '127.0.0.1', resolve);
    });
    const { port } = provider.address() as AddressInfo;
    config = [
      `providers: [{ name: slow, type: openai, base_url: "http://127.0.0.1:${port}/v1", keys: [{ value: provider-key }] }]`,
      `virtual_keys: [{ key_name: k, key: ${KEY}, providers: [{ name: slow }] }]`,
    ].join('\n');
  });
  afterAll(async () => {
    for (const gateway of started) await gateway.discard();
    provider.close();
  });

  it('waits for a stream, and records it', async () => {
    const first = await startGateway({ config });
    started.push(first);
    const response = await fetch(`${first.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'slow/m', stream: true, messages: [{ role: 'user', content: 'hello' }] }),
    });
    expect(response.status).toBe(200);
    const [text, code] = await Promise.all([response.text(), first.stop()]);
    expect(text).toContain(`word ${CHUNKS - 1} `);
    expect(text).toContain('[DONE]');
    expect(code).toBe(0);

    const second = await startGateway({ config, folder: first.folder });
    started.push(second);
    const requestId = response.headers.get('x-sallyport-request-id');
    expect(await second.admin(`/api/audit-events?request_id=${requestId}`)).toMatchObject({
      items: [{ kind: 'llm.call', outcome: 'ok', stream: true }],
    });
  });
});
