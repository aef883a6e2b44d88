import type { TransportName } from '../scenarios/schema/transports.js';
import { DuplexMisbehaviour } from './misbehave/duplex-misbehaviour.js';
import { HttpMisbehaviour } from './misbehave/http-misbehaviour.js';
import { MisbehavingChannel, type MisbehavingChannelParts } from './misbehave/misbehaving-channel.js';
import {
  type MisbehaveOver,
  misbehaveOverSse,
  misbehaveOverStdio,
  misbehaveOverTcp,
  misbehaveOverWebSocket,
} from './misbehave/misbehaving-link.js';
import type { PinnedProtocol } from './protocol/messages.js';
import type { Channel, ChannelConfig, ChannelEvents } from './transport/channel.js';
import { DuplexChannel } from './transport/duplex/duplex-channel.js';
import type { CreateLink } from './transport/duplex/duplex-link.js';
import { StreamableHttp } from './transport/http/streamable-http.js';
import { prepareSdk, SdkChannel } from './transport/sdk/sdk.js';
import type { ProfileShared } from './transport/shared.js';
import { sseLink } from './transport/sse/sse.js';
import { stdioLink } from './transport/stdio/stdio.js';
import { tcpLink } from './transport/tcp/tcp.js';
import { webSocketLink } from './transport/websocket/websocket.js';

interface Transport {
  /** @throws TypeError for an endpoint that cannot be spoken to */
  createChannel(config: ChannelConfig, events: ChannelEvents, shared: ProfileShared): Channel;
  /** Makes the link that carries messages both ways; absent where each message is an HTTP request of its own. */
  readonly createLink?: CreateLink;
  /** Loads libraries for which the first channel would otherwise wait; called before the load begins. */
  prepare?(era: PinnedProtocol['era']): void;
}

/**
 * Every way to reach a server, by its name in scenarios. `scenarios/schema/transports.ts` holds what scenarios need to
 * know of each.
 */
export const transportMap: Readonly<Record<TransportName, Transport>> = {
  'streamable-http': { createChannel: createHttpChannel },
  stdio: overLink(stdioLink, misbehaveOverStdio),
  sse: overLink(sseLink, misbehaveOverSse),
  websocket: overLink(webSocketLink, misbehaveOverWebSocket),
  tcp: overLink(tcpLink, misbehaveOverTcp),
  sdk: { createChannel: (config, events, shared) => new SdkChannel(config, events, shared), prepare: prepareSdk },
};

function createHttpChannel(config: ChannelConfig, events: ChannelEvents, shared: ProfileShared): Channel {
  if (!misbehaves(config)) return new StreamableHttp(config, events, shared);
  return new MisbehavingChannel(config, events, shared, (own) => httpParts(config, own, shared));
}

function httpParts(config: ChannelConfig, own: ChannelEvents, shared: ProfileShared): MisbehavingChannelParts {
  const inner = new StreamableHttp(config, own, shared);
  const { endpoint, pinned } = config;
  return {
    inner,
    newMisbehaviour: ({ misbehaviourKind, id, body, kind, done }) =>
      new HttpMisbehaviour({
        misbehaviourKind,
        config,
        shared,
        done,
        memory: inner.memory,
        proper: { endpoint, era: pinned.era, id, body, kind: { ...kind, ...inner.sessionHeaders() } },
      }),
  };
}

/** A misbehaving request gets a session of its own, which is opened properly. */
function overLink(createLink: CreateLink, misbehaveOver: MisbehaveOver): Transport {
  return {
    createLink,
    createChannel(config, events, shared) {
      if (!misbehaves(config)) return new DuplexChannel(config, events, shared, createLink);
      return new MisbehavingChannel(config, events, shared, (own) => ({
        inner: new DuplexChannel(config, own, shared, createLink),
        newMisbehaviour: (options) => new DuplexMisbehaviour({ ...options, config, shared, misbehaveOver }),
      }));
    },
  };
}

/** A profile that sends only proper requests gets the plain channel: it must not pay for the misbehaviour of others. */
function misbehaves({ abort, malformed }: ChannelConfig): boolean {
  return abort !== undefined || malformed !== undefined;
}
