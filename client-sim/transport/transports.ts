import type { TransportName } from '../../scenarios/schema/transports.js';
import { overSse, overStdio, overTcp, overWebSocket } from '../misbehave/means.js';
import { createHttp, misbehavingBy } from '../misbehave/misbehave.js';
import type { PinnedProtocol } from '../protocol/messages.js';
import type { Channel, ChannelConfig, ChannelEvents } from './channel.js';
import { ColdLine } from './cold-line.js';
import type { CreateLine } from './line.js';
import { createSdk, prepareSdk } from './sdk.js';
import type { WireShared } from './shared.js';
import { createSse, createSseLine } from './sse.js';
import { createStdio, createStdioLine } from './stdio.js';
import { createTcp, createTcpLine } from './tcp.js';
import { createWebSocket, createWebSocketLine } from './websocket.js';

/** @throws TypeError for an endpoint that cannot be spoken to */
export type CreateChannel = (config: ChannelConfig, events: ChannelEvents, shared: WireShared) => Channel;

interface Transport {
  readonly createChannel: CreateChannel;
  readonly createLine: CreateLine;
  /** Loads what the first channel would otherwise wait for; called before the load begins. */
  readonly prepare?: (era: PinnedProtocol['era']) => void;
}

/**
 * Every way to reach a server, by the name scenarios give it. What scenarios need to know of it is in
 * `scenarios/schema/transports.ts`.
 */
export const transportMap: Readonly<Record<TransportName, Transport>> = {
  'streamable-http': { createChannel: createHttp, createLine: (endpoint) => new ColdLine(endpoint) },
  stdio: { createChannel: misbehavingBy(createStdio, overStdio), createLine: createStdioLine },
  sse: { createChannel: misbehavingBy(createSse, overSse), createLine: createSseLine },
  websocket: { createChannel: misbehavingBy(createWebSocket, overWebSocket), createLine: createWebSocketLine },
  tcp: { createChannel: misbehavingBy(createTcp, overTcp), createLine: createTcpLine },
  // Preflight asks for itself: what it is to find out (era, lists, refusals in words) is a matter of bytes.
  sdk: { createChannel: createSdk, createLine: (endpoint) => new ColdLine(endpoint), prepare: prepareSdk },
};
