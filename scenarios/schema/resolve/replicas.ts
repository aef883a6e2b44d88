import { CHEAP_CONNECTIONS, connectionsIn } from '../connections.js';
import type { ProfilePlan, TargetPlan } from '../plan.js';

const MOST_REPLICAS = 64;

/** `replicas: auto` counted out, now that the profiles are known. */
export function withReplicas(
  target: TargetPlan,
  wished: number | 'auto' | undefined,
  profiles: readonly ProfilePlan[],
): TargetPlan {
  if (wished !== 'auto' || !('replicas' in target)) return target;
  return {
    ...target,
    replicas: Math.max(1, Math.min(MOST_REPLICAS, Math.ceil(connectionsIn(profiles) / CHEAP_CONNECTIONS))),
  };
}
