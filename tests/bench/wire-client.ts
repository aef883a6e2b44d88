/**
 * The wire client alone under full load: as many requests in flight as fit, the next sent as soon as one is answered.
 * Arguments: URL (http or ws), connections, requests in flight on each, seconds. Prints one line of JSON.
 */
import { compileRequest } from '../../client-sim/mcp/compile-request.js';
import type { PinnedProtocol } from '../../client-sim/protocol/messages.js';
import { createEngineWire, createWireCounters, createWireShared } from '../../client-sim/transport/shared.js';
import { transportMap } from '../../client-sim/transport/transports.js';
import type { Channel } from '../../client-sim/transport/channel.js';
import { benchOperation } from './bench-plan.js';
import { LoadTime, WARM_UP_SECONDS } from './load-time.js';

const [url = '', connections = '20', pipeline = '1', seconds = '5'] = process.argv.slice(2);
const pinned: PinnedProtocol = { era: 'legacy', version: '2025-11-25', sessions: true };
const template = compileRequest(benchOperation, 0, pinned);
const shared = createWireShared(createEngineWire(), createWireCounters());
const depth = Number(pipeline);
let correct = 0;
let failed = 0;
let stopped = false;
let time = new LoadTime();

for (let slot = 0; slot < Number(connections); slot++) {
  const draw = { seed: 1, slot, sequence: 0 };
  const fill = (): void => {
    while (!stopped && channel.room > 0) {
      channel.send(template, draw, draw.sequence & 0xffff);
      draw.sequence++;
    }
    channel.flush();
  };
  const channel: Channel = transportMap[url.startsWith('ws:') ? 'websocket' : 'streamable-http'].createChannel(
    { endpoint: { url, headers: {} }, pinned, connections: 1, pipeline: depth },
    {
      onOpen: fill,
      onOpenFailed: (failure) => {
        throw new Error(`the sink could not be reached: ${failure.detail}`);
      },
      onAnswer: (_ticket, _nowMs, failure) => {
        if (failure === undefined) correct++;
        else failed++;
        fill();
      },
      onRoom: fill,
      onClosed: () => undefined,
    },
    shared,
  );
  channel.open();
}

setTimeout(() => {
  correct = 0;
  time = new LoadTime();
}, WARM_UP_SECONDS * 1000);
setTimeout(() => {
  stopped = true;
  process.stdout.write(`${JSON.stringify({ requests: correct, failed, ...time.read(), backpressure: shared.counters.backpressure, rssBytes: process.memoryUsage().rss })}\n`);
  process.exit(0);
}, (WARM_UP_SECONDS + Number(seconds)) * 1000);
