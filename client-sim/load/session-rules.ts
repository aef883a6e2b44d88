import type { ProfilePlan } from '../../scenarios/schema/plan.js';

/** How the sessions of a profile live: one set of rules for all session modes. */
export interface SessionRules {
  /** Sessions that one client may hold at once; more than one only in mode `per-request`. */
  readonly sessionSlots: number;
  /** The session ends after this many operations. */
  readonly operations: number;
  /** The session ends at this age. */
  readonly ageMs: number;
  /** The session opens when an operation is due, not when the client becomes active. */
  readonly onDemand: boolean;
  /** Requests in flight per session. */
  readonly capacity: number;
  /** TCP connections per session. */
  readonly connections: number;
  readonly pipeline: number;
}

export function sessionRules(profile: ProfilePlan): SessionRules {
  const capacity = profile.connections * profile.pipeline;
  const shared = { connections: profile.connections, pipeline: profile.pipeline, capacity };
  const lasting = { ...shared, sessionSlots: 1, operations: Infinity, ageMs: Infinity, onDemand: false };
  switch (profile.session.mode) {
    case 'reuse':
    case 'pool':
      return lasting;
    case 'churn':
      return 'operations' in profile.session.every
        ? { ...lasting, operations: profile.session.every.operations }
        : { ...lasting, ageMs: profile.session.every.ms };
    case 'per-request':
      return {
        sessionSlots: Math.min(profile.maxInFlight, capacity),
        operations: 1,
        ageMs: Infinity,
        onDemand: true,
        capacity: 1,
        connections: 1,
        pipeline: 1,
      };
  }
}
