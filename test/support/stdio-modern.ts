// A stdio server of both eras: whichever the first message speaks is the one its process serves.
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

serveStdio(({ era }) => {
  const server = new McpServer(
    { name: 'modern-stdio', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true } } },
  );
  server.registerTool('era', {}, () => ({ content: [{ type: 'text', text: `${era} ${process.pid}` }] }));
  server.registerTool('steps', { inputSchema: z.object({ count: z.number() }) }, async ({ count }, context) => {
    const progressToken = context.mcpReq._meta?.progressToken;
    for (let progress = 1; progress <= count; progress += 1) {
      if (progressToken === undefined) break;
      await context.mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken, progress, total: count },
      });
    }
    return { content: [{ type: 'text', text: `${count} steps` }] };
  });
  server.registerTool('wait', {}, async (context) => {
    await new Promise<void>((resolve) => context.mcpReq.signal.addEventListener('abort', () => resolve()));
    process.stderr.write('wait was cancelled\n');
    return { content: [] };
  });
  server.registerTool('change', {}, () => {
    server.sendToolListChanged();
    return { content: [{ type: 'text', text: 'changed' }] };
  });
  return server;
});
