/** A server on the npm package `fastmcp`: fastmcp.mjs http | stateless PORT. Each call adds a byte to $CALLS. */
import { appendFileSync } from 'node:fs';
import { FastMCP } from 'fastmcp';
import { z } from 'zod';

const [, , mode, port] = process.argv;
const server = new FastMCP({ name: 'fastmcp', version: '1.0.0' });
server.addTool({
  name: 'echo',
  description: 'Says what it was told.',
  parameters: z.object({ message: z.string() }),
  execute: async ({ message }) => {
    appendFileSync(process.env.CALLS, '.');
    return message;
  },
});
await server.start({
  transportType: 'httpStream',
  httpStream: { host: '127.0.0.1', port: Number(port), endpoint: '/mcp', stateless: mode === 'stateless' },
});
