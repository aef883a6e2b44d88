/** A server on the npm package `mcp-handler`, mounted in Node's own HTTP server: mcp-handler.mjs PORT. */
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { createMcpHandler } from 'mcp-handler';
import { z } from 'zod';

const handler = createMcpHandler((server) => {
  server.registerTool(
    'echo',
    { description: 'Says what it was told.', inputSchema: z.object({ message: z.string() }) },
    async ({ message }) => {
      appendFileSync(process.env.CALLS, '.');
      return { content: [{ type: 'text', text: message }] };
    },
  );
});

createServer(async (request, response) => {
  const { method, headers, url } = request;
  const body = method === 'POST' ? { body: Readable.toWeb(request), duplex: 'half' } : {};
  const answer = await handler(new Request(`http://127.0.0.1${url}`, { method, headers, ...body }));
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body === null) response.end();
  else Readable.fromWeb(answer.body).pipe(response);
}).listen(Number(process.argv[2]), '127.0.0.1');
