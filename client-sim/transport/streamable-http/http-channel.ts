import type { Channel } from '../channel.js';
import type { EndpointMemory } from '../endpoint-memory.js';
import type { RequestKind } from '../request-head.js';

/** What every request of a session carries, as far as the handshake has settled it. */
export type Settled = Pick<RequestKind, 'sessionId' | 'version' | 'cookie'>;

/** A session over Streamable HTTP, with what those need who send requests of their own in it. */
export interface HttpChannel extends Channel {
  readonly memory: EndpointMemory;
  settled(): Settled;
  breakOff(): void;
}
