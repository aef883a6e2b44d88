/**
 * Tool calls with the library `ws`; see `CallingPeer`. Arguments: URL, connections, requests in flight on each,
 * seconds, `corked` or `plain`. Prints one line of JSON.
 */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { CallingPeer } from './calling-peer.js';
import { measureLoad, newTally } from './load-time.js';

const [url = '', connections = '20', depth = '1', seconds = '5', how = 'plain'] = process.argv.slice(2);
const tally = newTally();

for (let index = 0; index < Number(connections); index++) {
  const socket = new WebSocket(url, 'mcp', { perMessageDeflate: false });
  // No part of its interface, but the only way to it.
  const under = (): Socket => (socket as unknown as { readonly _socket: Socket })._socket;
  const peer = new CallingPeer(
    { send: (text) => socket.send(text), cork: () => under().cork(), uncork: () => under().uncork() },
    how,
    tally,
  );
  socket.on('error', (error) => {
    throw error;
  });
  socket.on('open', () => peer.begin(Number(depth)));
  socket.on('message', (data) => peer.onMessage(String(data)));
}

measureLoad(Number(seconds), tally);
