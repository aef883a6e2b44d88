import { LEGACY_REVISIONS } from '../mcp/revisions.js';
import type { Endpoint } from '../protocol/messages.js';
import type { Channel, ChannelConfig, ChannelEvents } from './channel.js';
import { DuplexChannel } from './duplex/duplex-channel.js';
import { DuplexLine } from './duplex/duplex-line.js';
import type { Line } from './line.js';
import type { WireShared } from './shared.js';
import { SseLink } from './sse/sse-link.js';

/**
 * MCP over HTTP+SSE (2024-11-05): one stream for all answers, one POST for each message.
 * @throws TypeError for an endpoint that cannot be spoken to
 */
export function createSse(config: ChannelConfig, events: ChannelEvents, shared: WireShared): Channel {
  return new DuplexChannel(config, events, shared, (owner, wire, options) => new SseLink(owner, wire, options));
}

/** @throws TypeError for an endpoint that cannot be spoken to */
export function createSseLine(endpoint: Endpoint): Line {
  const pinned = { era: 'legacy', version: LEGACY_REVISIONS[0], sessions: false } as const;
  return new DuplexLine(
    (owner, shared) => new SseLink(owner, shared, { endpoint, pinned, connections: 1, pipeline: 1 }),
  );
}
