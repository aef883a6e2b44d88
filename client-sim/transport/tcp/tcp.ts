import { DuplexPreflightClient } from '../../preflight/duplex-preflight-client.js';
import type { PreflightClient } from '../../preflight/preflight-client.js';
import type { Endpoint } from '../../protocol/messages.js';
import type { Channel, ChannelConfig, ChannelEvents } from '../channel.js';
import { DuplexChannel } from '../duplex/duplex-channel.js';
import { overSocket } from '../duplex/duplex-connection.js';
import type { WireShared } from '../shared.js';
import { LineFraming } from './line-framing.js';

const newLink = overSocket(() => new LineFraming());

/**
 * MCP over a bare TCP connection: one message per line, as MCP's stdio transport has it. The session is the connection.
 * @throws TypeError for an endpoint that is not tcp://HOST:PORT
 */
export function createTcp(config: ChannelConfig, events: ChannelEvents, shared: WireShared): Channel {
  return new DuplexChannel(config, events, shared, newLink);
}

/** @throws TypeError for an endpoint that is not tcp://HOST:PORT */
export function createTcpPreflightClient(endpoint: Endpoint): PreflightClient {
  return new DuplexPreflightClient((owner, shared) => newLink(owner, shared, { endpoint }));
}
