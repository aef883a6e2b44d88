import type { ServerCommand } from '../../scenarios/schema/plan.js';
import type { Endpoint } from '../protocol/messages.js';
import type { Channel, ChannelConfig, ChannelEvents } from './channel.js';
import { DuplexChannel } from './duplex/duplex-channel.js';
import { DuplexLine } from './duplex/duplex-line.js';
import { paceOf } from './http/pace.js';
import type { Line } from './line.js';
import type { WireShared } from './shared.js';
import { PipeLink } from './stdio/pipe-link.js';

/**
 * MCP over the standard streams of a process: one is started for each session, and ended with it.
 * @throws TypeError for an endpoint that names no command
 */
export function createStdio(config: ChannelConfig, events: ChannelEvents, shared: WireShared): Channel {
  const server = serverOf(config.endpoint);
  return new DuplexChannel(config, events, shared, (owner, wire) => new PipeLink(owner, wire, server, paceOf(config)));
}

/** @throws TypeError for an endpoint that names no command */
export function createStdioLine(endpoint: Endpoint): Line {
  const server = serverOf(endpoint);
  return new DuplexLine((owner, shared) => new PipeLink(owner, shared, server));
}

/** @throws TypeError for an endpoint that names no command */
export function serverOf({ url, server }: Endpoint): ServerCommand {
  if (server === undefined) throw new TypeError(`${url} names no command to start`);
  return server;
}
