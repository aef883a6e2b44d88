/** An MCP server over its standard streams that answers each line at once: what is left is the client and its pipes. */
import { createInterface } from 'node:readline';
import { initializeResult, resultOf } from '../../swarm/reference-server/sink/results.js';

interface Message {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly protocolVersion?: unknown };
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line) as Message;
  if (id === undefined) return;
  const result = method === 'initialize' ? initializeResult(params?.protocolVersion) : resultOf(method, false);
  process.stdout.write(`{"jsonrpc":"2.0","id":${id},"result":${result}}\n`);
});
