import { slotIndexes, splitSlots } from '../../scenarios/schema/allocate.js';
import type { ProfilePlan } from '../../scenarios/schema/plan.js';
import type { SlotSet } from '../protocol/messages.js';

/** One virtual client: its profile's place in the plan, its own place within the profile. */
export interface ClientPlace {
  readonly profile: number;
  readonly index: number;
}

/**
 * Deals a worker's slots out to its threads as the controller deals them out to workers: sessions of a pool stay
 * together.
 */
export function partition(
  profiles: readonly ProfilePlan[],
  slots: readonly SlotSet[],
  threads: number,
): readonly (readonly ClientPlace[])[] {
  return splitSlots(slots, profiles, threads).map((sets) =>
    sets.flatMap((set) => slotIndexes(set).map((index) => ({ profile: set.profile, index }))),
  );
}

export function countClients(slots: readonly SlotSet[]): number {
  return slots.reduce((sum, set) => sum + set.count, 0);
}
