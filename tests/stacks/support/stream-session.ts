import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const HELLO = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
});

/** What a server says of itself, asked over its stream port; a port that does not answer fails within `withinMs`. */
interface StreamAnswer {
  readonly id?: unknown;
  readonly result?: { readonly serverInfo?: { readonly name?: string } };
}

export async function helloOverWebSocket(url: string, withinMs = 10_000): Promise<StreamAnswer> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/mcp`, 'mcp', { handshakeTimeout: withinMs });
  try {
    const signal = AbortSignal.timeout(withinMs);
    await once(socket, 'open', { signal });
    socket.send(HELLO);
    const [data] = (await once(socket, 'message', { signal })) as [Buffer];
    return JSON.parse(data.toString()) as StreamAnswer;
  } finally {
    socket.terminate();
  }
}

export async function helloOverTcp(url: string, withinMs = 10_000): Promise<StreamAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  try {
    const signal = AbortSignal.timeout(withinMs);
    await once(socket, 'connect', { signal });
    socket.write(`${HELLO}\n`);
    const [line] = (await once(createInterface(socket), 'line', { signal })) as [string];
    return JSON.parse(line) as StreamAnswer;
  } finally {
    socket.destroy();
  }
}
