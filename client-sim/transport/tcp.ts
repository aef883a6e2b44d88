import type { Endpoint } from '../protocol/messages.js';
import type { Channel, ChannelConfig, ChannelEvents } from './channel.js';
import { DuplexChannel } from './duplex/duplex-channel.js';
import { DuplexLine } from './duplex/duplex-line.js';
import { overSocket } from './duplex/over-socket.js';
import type { Line } from './line.js';
import type { WireShared } from './shared.js';
import { LineFraming } from './tcp/line-framing.js';

const newLink = overSocket(() => new LineFraming());

/**
 * MCP over a bare TCP connection: one message per line, as MCP's stdio transport has it. The session is the connection.
 * @throws TypeError for an endpoint that is not tcp://HOST:PORT
 */
export function createTcp(config: ChannelConfig, events: ChannelEvents, shared: WireShared): Channel {
  return new DuplexChannel(config, events, shared, newLink);
}

/** @throws TypeError for an endpoint that is not tcp://HOST:PORT */
export function createTcpLine(endpoint: Endpoint): Line {
  return new DuplexLine((owner, shared) => newLink(owner, shared, { endpoint }));
}
