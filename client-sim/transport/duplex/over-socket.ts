import type { Endpoint } from '../../protocol/messages.js';
import type { ChannelConfig } from '../channel.js';
import { type Pace, paceOf } from '../http/pace.js';
import type { Address } from '../http/socket.js';
import type { WireShared } from '../shared.js';
import { DuplexConnection, type DuplexOwner } from './duplex-connection.js';
import { duplexMemory } from './duplex-memory.js';
import type { Framing } from './framing.js';
import type { DuplexLink } from './link.js';

export type SocketConfig = Pick<ChannelConfig, 'endpoint' | 'resettable'> & Pace;

/**
 * Links that are sockets with this framing, made anew for each. @throws TypeError for an endpoint that cannot be spoken
 * to
 */
export function overSocket(newFraming: (endpoint: Endpoint) => Framing) {
  return (owner: DuplexOwner, shared: WireShared, config: SocketConfig): DuplexLink =>
    new DuplexConnection(owner, shared, socketAddress(config, shared), newFraming(config.endpoint), paceOf(config));
}

export function socketAddress({ endpoint, resettable }: SocketConfig, shared: WireShared): Address {
  const { address } = duplexMemory(endpoint, shared);
  return resettable === true ? { ...address, resettable } : address;
}
