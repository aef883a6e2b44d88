import type { Endpoint, PinnedProtocol } from './messages.js';

/** Profiles (by index) that reach the target in a way of their own: by other endpoints, or in another era. */
export interface PreflightRoute {
  readonly profiles: readonly number[];
  readonly endpoints: readonly Endpoint[];
  readonly era: 'auto' | 'legacy' | 'modern';
}

/** The same once the era is settled. */
export interface Route {
  readonly profiles: readonly number[];
  readonly endpoints: readonly Endpoint[];
  readonly pinned: PinnedProtocol;
}
