import type { ProfilePlan } from '../../scenarios/schema/plan.js';
import { IntegratedRate, ratePieces } from './integrated-rate.js';
import type { LoadShape } from './load-shape.js';
import { PoissonPositions, type Positions, UniformPositions } from './positions.js';

/**
 * When the arrivals of one open-loop client are due: a pure function of (seed, slot, index, shape), whatever the target
 * does. Times are run time in milliseconds.
 */
export class Schedule {
  /** Two cursors over the same sequence: with a backlog, what is sent next lies behind what is counted as due. */
  private readonly sending: Positions;
  private readonly counting: Positions;

  constructor(
    private readonly rate: IntegratedRate,
    positions: () => Positions,
  ) {
    this.sending = positions();
    this.counting = positions();
  }

  /** Infinity when the run has no such arrival. Monotone in the index; cheap when asked for in order. */
  dueAt(index: number): number {
    return this.rate.timeOf(this.sending.at(index));
  }

  /** How many arrivals are due at `atMs` or before: the exact inverse of `dueAt`. */
  countDue(atMs: number): number {
    let count = this.counting.countUpTo(this.rate.area(atMs));
    // The area is rounded and `dueAt` is exact: correct the few that lie within the rounding.
    while (count > 0 && this.countedDueAt(count - 1) > atMs) count--;
    while (this.countedDueAt(count) <= atMs) count++;
    return count;
  }

  /** How many arrivals are due before `atMs`: those of the stages that end there. */
  countBefore(atMs: number): number {
    let count = this.countDue(atMs);
    while (count > 0 && this.countedDueAt(count - 1) >= atMs) count--;
    return count;
  }

  private countedDueAt(index: number): number {
    return this.rate.timeOf(this.counting.at(index));
  }
}

/** @param index of the client within its profile, 0-based */
export function clientSchedule(profile: ProfilePlan, index: number, shape: LoadShape, seed: number): Schedule {
  const arrivals = profile.arrivals;
  if (arrivals.model !== 'open') throw new TypeError(`profile ${profile.name} is closed loop: it has no schedule`);
  const rate = new IntegratedRate(ratePieces(shape, index, profile.clients, arrivals.ratePerSecond));
  const slot = profile.firstSlot + index;
  return arrivals.spacing === 'uniform'
    ? new Schedule(rate, () => new UniformPositions(index / profile.clients))
    : new Schedule(rate, () => new PoissonPositions(seed, slot));
}
