import type { SlotSet } from '../../../client-sim/protocol/messages.js';
import type { ProfilePlan } from '../../../scenarios/schema/plan.js';

export function clientsOf(sets: readonly SlotSet[]): number {
  return sets.reduce((sum, set) => sum + set.count, 0);
}

export function connectionsOf(profiles: readonly ProfilePlan[], sets: readonly SlotSet[]): number {
  return sets.reduce((sum, set) => sum + set.count * (profiles[set.profile]?.connections ?? 0), 0);
}
