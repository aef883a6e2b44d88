/**
 * The wire client alone under full load: as many requests in flight as fit, the next sent as soon as one is answered.
 * Arguments: URL (or command as JSON), connections, requests in flight on each, seconds, transport. Prints one line of
 * JSON.
 */
import { compileRequest } from '../../client-sim/mcp/compile-request.js';
import type { Endpoint, PinnedProtocol } from '../../client-sim/protocol/messages.js';
import type { Channel } from '../../client-sim/transport/channel.js';
import { createProfileShared } from '../../client-sim/transport/shared.js';
import { transportMap } from '../../client-sim/transports.js';
import { isTransport } from '../../scenarios/schema/transports.js';
import { benchOperation } from './bench-plan.js';
import { measureLoad, newTally } from './load-time.js';

const [target = '', connections = '20', pipeline = '1', seconds = '5', transport = 'streamable-http'] =
  process.argv.slice(2);
if (!isTransport(transport)) throw new TypeError(`no transport ${transport}`);
const endpoint: Endpoint =
  transport === 'stdio'
    ? {
        url: 'stdio://localhost',
        headers: {},
        server: { command: JSON.parse(target) as string[], env: {}, inherited: { PATH: process.env.PATH ?? '' } },
      }
    : { url: target, headers: {} };
const pinned: PinnedProtocol = { era: 'legacy', version: '2025-11-25', sessions: true };
const template = compileRequest(benchOperation, 0, pinned);
const shared = createProfileShared();
const depth = Number(pipeline);
const tally = newTally();

for (let slot = 0; slot < Number(connections); slot++) {
  const draw = { seed: 1, slot, sequence: 0 };
  let reading = false;
  const fill = (): void => {
    while (channel.room > 0) {
      channel.send(template, draw, draw.sequence & 0xffff);
      draw.sequence++;
    }
    channel.flush();
  };
  const channel: Channel = transportMap[transport].createChannel(
    { endpoint, pinned, connections: 1, pipeline: depth },
    {
      onOpen: fill,
      onOpenFailed: (failure) => {
        throw new Error(`the sink could not be reached: ${failure.detail}`);
      },
      onAnswer: (_ticket, _nowMs, failure) => {
        if (failure === undefined) tally.correct++;
        else tally.failed++;
        if (!reading) fill();
      },
      // As the engine does: what the answers of one read make room for is sent together.
      onReadStart: () => {
        reading = true;
      },
      onReadEnd: () => {
        reading = false;
        fill();
      },
      onRoom: fill,
      onClosed: () => undefined,
    },
    shared,
  );
  channel.open();
}

measureLoad(Number(seconds), tally, () => ({
  backpressure: shared.counters.backpressure,
  rssBytes: process.memoryUsage().rss,
}));
