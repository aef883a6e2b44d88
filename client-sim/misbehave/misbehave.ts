import type { Channel, ChannelConfig, ChannelEvents } from '../transport/channel.js';
import type { WireShared } from '../transport/shared.js';
import { createStreamableHttp } from '../transport/streamable-http.js';
import { DuplexOffence } from './duplex-offence.js';
import { HttpOffence } from './http-offence.js';
import type { Means } from './means.js';
import { type Misbehaving, MisbehavingChannel } from './misbehaving-channel.js';

type Create = (config: ChannelConfig, events: ChannelEvents, shared: WireShared) => Channel;

/** A profile that sends only proper requests gets the plain channel: it must not pay for others' misdeeds. */
function mayMisbehave(
  create: Create,
  misbehaving: (config: ChannelConfig, own: ChannelEvents, shared: WireShared) => Misbehaving,
): Create {
  return (config, events, shared) => {
    const { abort, malformed } = config;
    if (abort === undefined && malformed === undefined) return create(config, events, shared);
    return new MisbehavingChannel(config, events, shared, (own) => misbehaving(config, own, shared));
  };
}

/** Streamable HTTP, some of whose requests may be spoilt. */
export const createHttp: Create = mayMisbehave(createStreamableHttp, (config, own, shared) => {
  const inner = createStreamableHttp(config, own, shared);
  const {
    endpoint,
    pinned: { era },
  } = config;
  return {
    inner,
    newOffence: ({ deed, id, body, kind, done }) =>
      new HttpOffence({
        deed,
        config,
        shared,
        done,
        memory: inner.memory,
        proper: { endpoint, era, id, body, kind: { ...kind, ...inner.settled() } },
      }),
  };
});

/**
 * One that carries messages both ways, some of which may be spoilt: each in a session of its own, opened as it should
 * be.
 */
export function misbehavingBy(create: Create, means: Means): Create {
  return mayMisbehave(create, (config, own, shared) => ({
    inner: create(config, own, shared),
    newOffence: (options) => new DuplexOffence({ ...options, config, shared, means }),
  }));
}
