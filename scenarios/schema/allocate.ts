/**
 * Decides which worker and which thread has which virtual clients. The same function splits a plan over workers, the
 * share of a worker over its threads, and the share of a lost worker over the other workers.
 */
import type { ProfilePlan } from './plan.js';

/** Clients of one profile by their index within the profile: start, start + step, ... (`count` of them). */
export interface SlotSet {
  /** Index of the profile in the plan. */
  readonly profile: number;
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

type Allocated = Pick<ProfilePlan, 'clients' | 'firstSlot' | 'session'>;

/**
 * The number that a client's replica is derived from. Clients that share a session have the same key. Keys count on
 * from profile to profile, so that many small profiles do not all start at the same replica.
 */
export function allocationKey(profile: Allocated, index: number): number {
  const shared = profile.session.mode === 'pool' ? index % profile.session.size : index;
  return profile.firstSlot + shared;
}

/** All clients of a plan: a set for each profile, or for each session where clients share sessions. */
export function slotSets(profiles: readonly Allocated[]): readonly SlotSet[] {
  return profiles.flatMap((profile, number): readonly SlotSet[] => {
    const { clients, session } = profile;
    if (session.mode !== 'pool') return [{ profile: number, start: 0, step: 1, count: clients }];
    const sessions = Math.min(session.size, clients);
    return Array.from({ length: sessions }, (_, start) => {
      return { profile: number, start, step: session.size, count: Math.ceil((clients - start) / session.size) };
    });
  });
}

/**
 * Deals `sets` out to `parts` shares, one client after the other like cards. Shares then differ by at most one client
 * within each profile and in total. The clients of a shared session stay together: they are dealt as one card.
 */
export function splitSlots(
  sets: readonly SlotSet[],
  profiles: readonly Allocated[],
  parts: number,
): readonly (readonly SlotSet[])[] {
  const shares: SlotSet[][] = Array.from({ length: parts }, () => []);
  let dealt = 0;
  // Copies of a profile in several arms have the same slots, so the same parts must have them.
  const begun = new Map<number | undefined, { readonly profile: number; readonly dealt: number }>();
  for (const set of sets) {
    const together = profiles[set.profile]?.session.mode === 'pool';
    const slot = profiles[set.profile]?.firstSlot;
    const known = begun.get(slot);
    if (known !== undefined && known.profile !== set.profile) dealt = known.dealt;
    if (known?.profile !== set.profile) begun.set(slot, { profile: set.profile, dealt });
    for (const [part, share] of shares.entries()) {
      const first = (((part - dealt) % parts) + parts) % parts;
      if (together) {
        if (first === 0) share.push(set);
      } else if (first < set.count) {
        share.push({
          profile: set.profile,
          start: set.start + first * set.step,
          step: set.step * parts,
          count: Math.ceil((set.count - first) / parts),
        });
      }
    }
    dealt += together ? 1 : set.count;
  }
  return shares;
}

/** The share of each worker, which is empty where there are more workers than clients. */
export function allocate(profiles: readonly Allocated[], workerCount: number): readonly (readonly SlotSet[])[] {
  return splitSlots(slotSets(profiles), profiles, workerCount);
}

/**
 * As `allocate`, with clients that subscribe on workers of their own: the first third of the workers (rounded up) has
 * the others, the rest has the subscribers. So the OpenMessaging Benchmark divides its workers with extra consumers.
 */
export function allocateByRole(
  profiles: readonly (Allocated & Pick<ProfilePlan, 'stream'>)[],
  workerCount: number,
): readonly (readonly SlotSet[])[] {
  const producers = Math.floor((workerCount + 2) / 3);
  const setsOf = (subscribe: boolean): readonly SlotSet[] =>
    slotSets(profiles).filter(({ profile }) => (profiles[profile]?.stream !== undefined) === subscribe);
  return [
    ...splitSlots(setsOf(false), profiles, producers),
    ...splitSlots(setsOf(true), profiles, workerCount - producers),
  ];
}

/** The indexes of the clients in a set, in order. */
export function slotIndexes(set: SlotSet): readonly number[] {
  return Array.from({ length: set.count }, (_, i) => set.start + i * set.step);
}
