/** How many connections a plan makes. Pure. */
import type { ProfilePlan } from './plan.js';

/**
 * So many connections to one address and port are cheap. Of the 28,232 local ports that Linux has for one it first
 * hands out every other one; once those are taken, each connect walks past all of them: 0.9 ms of processor time in
 * place of 0.05 ms (measured).
 */
export const CHEAP_CONNECTIONS = 14_000;

/** At most at once. */
export function connectionsIn(profiles: readonly ProfilePlan[]): number {
  return profiles.reduce((sum, profile) => sum + sessionsOf(profile) * connectionsOf(profile), 0);
}

/** Of one session. Over stdio nobody connects; a stream is a connection beside the others. */
export function connectionsOf({ transport, connections, stream }: ProfilePlan): number {
  return transport === 'stdio' ? 0 : connections + (stream === undefined ? 0 : 1);
}

/** One a client, unless clients share them. */
function sessionsOf({ session, clients }: ProfilePlan): number {
  return session.mode === 'pool' ? Math.min(session.size, clients) : clients;
}
