/**
 * Tool calls over plain TCP, a message a line, with Node's `net`, `readline` and `JSON`; see `CallingPeer`. Arguments:
 * URL, connections, requests in flight on each, seconds, `corked` or `plain`. Prints one line of JSON.
 */
import net from 'node:net';
import { createInterface } from 'node:readline';
import { CallingPeer } from './calling-peer.js';
import { measureLoad, newTally } from './load-time.js';

const [url = '', connections = '20', depth = '1', seconds = '5', how = 'plain'] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const tally = newTally();

for (let index = 0; index < Number(connections); index++) {
  const socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
  const peer = new CallingPeer(
    { send: (text) => void socket.write(`${text}\n`), cork: () => socket.cork(), uncork: () => socket.uncork() },
    how,
    tally,
  );
  socket.on('error', (error) => {
    throw error;
  });
  socket.on('connect', () => peer.begin(Number(depth)));
  createInterface({ input: socket }).on('line', (line) => peer.onMessage(line));
}

measureLoad(Number(seconds), tally);
