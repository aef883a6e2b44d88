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
import { HttpPreflightClient } from './preflight/http-preflight-client.js';
import type { CreatePreflightClient } from './preflight/preflight-client.js';
import type { PinnedProtocol } from './protocol/messages.js';
import type { Channel, ChannelConfig, ChannelEvents } from './transport/channel.js';
import { createStreamableHttp } from './transport/http/streamable-http.js';
import { createSdk, prepareSdk } from './transport/sdk/sdk.js';
import type { WireShared } from './transport/shared.js';
import { createSse, createSsePreflightClient } from './transport/sse/sse.js';
import { createStdio, createStdioPreflightClient } from './transport/stdio/stdio.js';
import { createTcp, createTcpPreflightClient } from './transport/tcp/tcp.js';
import { createWebSocket, createWebSocketPreflightClient } from './transport/websocket/websocket.js';

type Create = (config: ChannelConfig, events: ChannelEvents, shared: WireShared) => Channel;

/** A profile that sends only proper requests gets the plain channel: it must not pay for others' misdeeds. */
function mayMisbehave(
  create: Create,
  misbehaving: (config: ChannelConfig, own: ChannelEvents, shared: WireShared) => MisbehavingChannelParts,
): Create {
  return (config, events, shared) => {
    const { abort, malformed } = config;
    if (abort === undefined && malformed === undefined) return create(config, events, shared);
    return new MisbehavingChannel(config, events, shared, (own) => misbehaving(config, own, shared));
  };
}

/** Streamable HTTP, some of whose requests may be spoilt. */
const createHttp: Create = mayMisbehave(createStreamableHttp, (config, own, shared) => {
  const inner = createStreamableHttp(config, own, shared);
  const {
    endpoint,
    pinned: { era },
  } = config;
  return {
    inner,
    newMisbehaviour: ({ misbehaviourKind, id, body, kind, done }) =>
      new HttpMisbehaviour({
        misbehaviourKind,
        config,
        shared,
        done,
        memory: inner.memory,
        proper: { endpoint, era, id, body, kind: { ...kind, ...inner.sessionHeaders() } },
      }),
  };
});

/**
 * One that carries messages both ways, some of which may be spoilt: each in a session of its own, opened as it should
 * be.
 */
function misbehavingBy(create: Create, misbehaveOver: MisbehaveOver): Create {
  return mayMisbehave(create, (config, own, shared) => ({
    inner: create(config, own, shared),
    newMisbehaviour: (options) => new DuplexMisbehaviour({ ...options, config, shared, misbehaveOver }),
  }));
}

/** @throws TypeError for an endpoint that cannot be spoken to */
type CreateChannel = (config: ChannelConfig, events: ChannelEvents, shared: WireShared) => Channel;

interface Transport {
  readonly createChannel: CreateChannel;
  readonly createPreflightClient: CreatePreflightClient;
  /** Loads what the first channel would otherwise wait for; called before the load begins. */
  readonly prepare?: (era: PinnedProtocol['era']) => void;
}

/**
 * Every way to reach a server, by the name scenarios give it. What scenarios need to know of it is in
 * `scenarios/schema/transports.ts`.
 */
export const transportMap: Readonly<Record<TransportName, Transport>> = {
  'streamable-http': {
    createChannel: createHttp,
    createPreflightClient: (endpoint) => new HttpPreflightClient(endpoint),
  },
  stdio: {
    createChannel: misbehavingBy(createStdio, misbehaveOverStdio),
    createPreflightClient: createStdioPreflightClient,
  },
  sse: { createChannel: misbehavingBy(createSse, misbehaveOverSse), createPreflightClient: createSsePreflightClient },
  websocket: {
    createChannel: misbehavingBy(createWebSocket, misbehaveOverWebSocket),
    createPreflightClient: createWebSocketPreflightClient,
  },
  tcp: { createChannel: misbehavingBy(createTcp, misbehaveOverTcp), createPreflightClient: createTcpPreflightClient },
  // Preflight asks for itself: what it is to find out (era, lists, refusals in words) is a matter of bytes.
  sdk: {
    createChannel: createSdk,
    createPreflightClient: (endpoint) => new HttpPreflightClient(endpoint),
    prepare: prepareSdk,
  },
};
