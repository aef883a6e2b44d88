/**
 * Tool calls with the library `ws`: unique ids, every answer parsed and its id matched, the next call sent as soon as one
 * is answered. Arguments: URL, connections, requests in flight on each, seconds, `corked` or `plain`. Prints one line of JSON.
 *
 * Corked: what is sent while one read is worked on leaves in one write, at the end of the turn.
 */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { LoadTime, WARM_UP_SECONDS } from './load-time.js';

const [url = '', connections = '20', depth = '1', seconds = '5', how = 'plain'] = process.argv.slice(2);
let correct = 0;
let failed = 0;
let stopped = false;

for (let index = 0; index < Number(connections); index++) {
  const socket = new WebSocket(url, 'mcp', { perMessageDeflate: false });
  const waiting = new Set<number>();
  let nextId = 1_000_000_000;
  let corked = false;
  const call = (): void => {
    if (stopped) return;
    const id = nextId++;
    waiting.add(id);
    if (how === 'corked' && !corked) cork();
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo', arguments: { message: 'abcdefghijklmnopqrstuvwxyz012345' } } }));
  };
  const cork = (): void => {
    // No part of its interface, but the only way to it.
    const under = (socket as unknown as { readonly _socket: Socket })._socket;
    corked = true;
    under.cork();
    setImmediate(() => {
      corked = false;
      under.uncork();
    });
  };
  socket.on('error', (error) => {
    throw error;
  });
  socket.on('open', () => {
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } } }));
    for (let flight = 0; flight < Number(depth); flight++) call();
  });
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as { readonly id: number; readonly result?: { readonly isError?: boolean } };
    if (message.id === 1) return;
    if (waiting.delete(message.id) && message.result !== undefined && message.result.isError !== true) correct++;
    else failed++;
    call();
  });
}

let time = new LoadTime();
setTimeout(() => {
  correct = 0;
  time = new LoadTime();
}, WARM_UP_SECONDS * 1000);
setTimeout(() => {
  stopped = true;
  process.stdout.write(`${JSON.stringify({ requests: correct, failed, ...time.read() })}\n`);
  process.exit(0);
}, (WARM_UP_SECONDS + Number(seconds)) * 1000);
