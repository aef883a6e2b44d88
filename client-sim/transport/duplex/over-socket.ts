import type { Endpoint } from '../../protocol/messages.js';
import type { ChannelConfig } from '../channel.js';
import type { WireShared } from '../shared.js';
import { DuplexConnection, type DuplexOwner } from './duplex-connection.js';
import { duplexMemory } from './duplex-memory.js';
import type { Framing } from './framing.js';
import type { DuplexLink } from './link.js';

/** Links that are sockets with this framing, made anew for each. @throws TypeError for an endpoint that cannot be spoken to */
export function overSocket(newFraming: (endpoint: Endpoint) => Framing) {
  return (owner: DuplexOwner, shared: WireShared, { endpoint, readBytesPerSecond }: Pick<ChannelConfig, 'endpoint' | 'readBytesPerSecond'>): DuplexLink =>
    new DuplexConnection(owner, shared, duplexMemory(endpoint, shared).address, newFraming(endpoint), readBytesPerSecond);
}
