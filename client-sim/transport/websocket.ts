import type { Endpoint } from '../protocol/messages.js';
import type { Channel, ChannelConfig, ChannelEvents } from './channel.js';
import { DuplexChannel } from './duplex/duplex-channel.js';
import { DuplexLine } from './duplex/duplex-line.js';
import { overSocket } from './duplex/over-socket.js';
import type { Line } from './line.js';
import type { WireShared } from './shared.js';
import { checkUpgradeHeaders } from './websocket/upgrade.js';
import { WebSocketFraming } from './websocket/websocket-framing.js';

const newLink = overSocket((endpoint) => new WebSocketFraming(endpoint));

/**
 * MCP over WebSocket: one message per text frame, subprotocol `mcp`, as the official SDK's client for it does. The
 * standard has no such transport; sessions are connections, and there are no session ids.
 * @throws TypeError for an endpoint that cannot be spoken to: not ws(s), headers that cannot be sent
 */
export function createWebSocket(config: ChannelConfig, events: ChannelEvents, shared: WireShared): Channel {
  checkUpgradeHeaders(config.endpoint);
  return new DuplexChannel(config, events, shared, newLink);
}

/** @throws TypeError for an endpoint that cannot be spoken to: not ws(s), headers that cannot be sent */
export function createWebSocketLine(endpoint: Endpoint): Line {
  checkUpgradeHeaders(endpoint);
  return new DuplexLine((owner, shared) => newLink(owner, shared, { endpoint }));
}
