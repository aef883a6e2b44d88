/**
 * Clients of the official SDK under full load, each call after the last. Arguments: URL (or command as JSON), clients,
 * seconds, `http`, `sse` or `stdio`. Prints one line of JSON.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { measureLoad, newTally } from './load-time.js';

const [target = '', clients = '20', seconds = '5', how = 'http'] = process.argv.slice(2);
const tally = newTally();

function newTransport(): SSEClientTransport | StdioClientTransport | StreamableHTTPClientTransport {
  if (how === 'http') return new StreamableHTTPClientTransport(new URL(target));
  if (how === 'sse') return new SSEClientTransport(new URL(target));
  const [command = '', ...args] = JSON.parse(target) as string[];
  return new StdioClientTransport({ command, args });
}

async function keepCalling(): Promise<void> {
  const client = new Client({ name: 'bench', version: '1' });
  // The SDK's class declares sessionId as possibly undefined, its interface as absent: not assignable at our
  // strictness.
  await client.connect(newTransport() as Parameters<Client['connect']>[0]);
  for (;;) {
    const result = await client.callTool({ name: 'echo', arguments: { message: 'abcdefghijklmnopqrstuvwxyz012345' } });
    if (result.isError === true) tally.failed++;
    else tally.correct++;
  }
}

for (let index = 0; index < Number(clients); index++) {
  keepCalling().catch((error: unknown) => {
    throw error;
  });
}
measureLoad(Number(seconds), tally);
