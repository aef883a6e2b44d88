/**
 * Tool calls over plain TCP, a message a line, with Node's `net`, `readline` and `JSON`: unique ids, every answer parsed
 * and its id matched, the next call sent as soon as one is answered. Arguments: URL, connections, requests in flight on
 * each, seconds, `corked` or `plain`. Prints one line of JSON.
 *
 * Corked: what is sent while one read is worked on leaves in one write, at the end of the turn.
 */
import net from 'node:net';
import { createInterface } from 'node:readline';
import { LoadTime, WARM_UP_SECONDS } from './load-time.js';

const [url = '', connections = '20', depth = '1', seconds = '5', how = 'plain'] = process.argv.slice(2);
const { hostname, port } = new URL(url);
let correct = 0;
let failed = 0;
let stopped = false;

for (let index = 0; index < Number(connections); index++) {
  const socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
  const waiting = new Set<number>();
  let nextId = 1_000_000_000;
  let corked = false;
  const write = (message: object): void => void socket.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const call = (): void => {
    if (stopped) return;
    const id = nextId++;
    waiting.add(id);
    if (how === 'corked' && !corked) cork();
    write({ id, method: 'tools/call', params: { name: 'echo', arguments: { message: 'abcdefghijklmnopqrstuvwxyz012345' } } });
  };
  const cork = (): void => {
    corked = true;
    socket.cork();
    setImmediate(() => {
      corked = false;
      socket.uncork();
    });
  };
  socket.on('error', (error) => {
    throw error;
  });
  socket.on('connect', () => {
    write({ id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } } });
    for (let flight = 0; flight < Number(depth); flight++) call();
  });
  createInterface({ input: socket }).on('line', (line) => {
    const message = JSON.parse(line) as { readonly id: number; readonly result?: { readonly isError?: boolean } };
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
