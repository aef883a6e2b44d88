import type { StreamListener } from '../transport/stream/stream-listener.js';
import type { Backoff } from './backoff.js';
import type { ProfileRuntime } from './profile-runtime.js';

/**
 * idle: no session, none wanted · queued: waits for the gate · opening: handshake under way · open: takes requests ·
 * ending: takes no more, waits for the answers in flight · closing: saying goodbye · backoff: the last attempt failed
 */
export type LaneState = 'idle' | 'queued' | 'opening' | 'open' | 'ending' | 'closing' | 'backoff';

export interface LaneOptions {
  readonly id: number;
  readonly profile: ProfileRuntime;
  readonly endpoint: number;
  /** Of the client; of a pooled session, of the first client that shares it. */
  readonly slot: number;
  /** Shared by the lanes of one client, so that a refused client backs off as a whole. */
  readonly backoff: Backoff;
  /** Hears what the server says by itself, in session after session. */
  readonly listener: StreamListener | undefined;
}
