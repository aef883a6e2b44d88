import { type SlotSet, slotIndexes, splitSlots } from '../../scenarios/schema/allocate.js';
import type { ProfilePlan, ThinkTimePlan, WorkerPlan } from '../../scenarios/schema/plan.js';
import type { ClientRef } from '../engine/population.js';

/**
 * Divides a worker's slots among its threads, as the controller divides slots among workers: clients that share a
 * pooled session stay together.
 */
export function divideClients(
  profiles: readonly ProfilePlan[],
  slots: readonly SlotSet[],
  threads: number,
): readonly (readonly ClientRef[])[] {
  return splitSlots(slots, profiles, threads).map((sets) =>
    sets.flatMap((set) => slotIndexes(set).map((index) => ({ profile: set.profile, index }))),
  );
}

export function countClients(slots: readonly SlotSet[]): number {
  return slots.reduce((sum, set) => sum + set.count, 0);
}

interface LimitShare {
  readonly ratePerSecond: number;
  readonly bytes: number;
}

/**
 * The share of the plan's limits that these clients may use; all shares together are the limit. Open-loop clients get
 * the rate they are planned to send. The rest is divided among the closed-loop clients, or among all clients where none
 * is closed-loop.
 */
export function limitShare(plan: WorkerPlan, clients: readonly ClientRef[]): LimitShare {
  const mine = totals(plan, (profile) => clients.filter((client) => plan.profiles[client.profile] === profile).length);
  const all = totals(plan, (profile) => profile.clients);
  const { limits } = plan;
  const shareOfRest = all.closed > 0 ? mine.closed / all.closed : mine.clients / all.clients;
  const ratePerSecond = mine.rate + Math.max(0, limits.ratePerSecond - all.rate) * shareOfRest;
  const whole = Math.max(limits.ratePerSecond, all.rate);
  return { ratePerSecond, bytes: whole > 0 ? (limits.bytes * ratePerSecond) / whole : limits.bytes };
}

/** Operations a second that these slots send by the clock at the highest load: none in a closed loop without pauses. */
export function pacedRate(plan: WorkerPlan, slots: readonly SlotSet[]): number {
  const load = highestRateLoad(plan);
  return slots.reduce((sum, { profile: index, count }) => {
    const profile = plan.profiles[index];
    return profile === undefined ? sum : sum + count * clientRate(profile, load);
  }, 0);
}

function clientRate({ arrivals }: ProfilePlan, load: number): number {
  switch (arrivals.model) {
    case 'open':
      return arrivals.ratePerSecond * load;
    case 'closed': {
      const pauseMs = meanMs(arrivals.thinkTime);
      return pauseMs > 0 ? 1000 / pauseMs : 0;
    }
    case 'none':
      return 0;
  }
}

function meanMs(pause: ThinkTimePlan): number {
  switch (pause.kind) {
    case 'none':
      return 0;
    case 'fixed':
      return pause.ms;
    case 'uniform':
      return (pause.minMs + pause.maxMs) / 2;
    case 'exponential':
      return pause.meanMs;
  }
}

function totals(
  plan: WorkerPlan,
  count: (profile: ProfilePlan) => number,
): { clients: number; closed: number; rate: number } {
  const sum = { clients: 0, closed: 0, rate: 0 };
  for (const profile of plan.profiles) {
    const clients = count(profile);
    sum.clients += clients;
    if (profile.arrivals.model === 'closed') sum.closed += clients;
    else if (profile.arrivals.model === 'open')
      sum.rate += clients * profile.arrivals.ratePerSecond * highestRateLoad(plan);
  }
  return sum;
}

function highestRateLoad(plan: WorkerPlan): number {
  const loads = plan.stages
    .filter((stage) => stage.scale === 'rate')
    .flatMap((stage) => stage.segments.flatMap(({ from, to }) => [from, to]));
  return Math.max(1, ...loads);
}
