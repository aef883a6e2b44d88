import type { PinnedProtocol } from '../protocol/messages.js';
import type { Channel, ChannelConfig, ChannelEvents } from './channel.js';
import { loadSdk } from './sdk/load-sdk.js';
import { SdkChannel } from './sdk/sdk-channel.js';
import type { WireShared } from './shared.js';

/**
 * MCP over Streamable HTTP through the official SDK's client of the era that is spoken.
 * @throws TypeError for an endpoint that cannot be spoken to: not http(s), headers that cannot be sent
 */
export function createSdk(config: ChannelConfig, events: ChannelEvents, shared: WireShared): Channel {
  return new SdkChannel(config, events, shared);
}

/** Loads what the first session would otherwise wait for. */
export function prepareSdk(era: PinnedProtocol['era']): void {
  // A failure is the first session's to report.
  loadSdk(era).catch(() => undefined);
}
