import type { ProfilePlan } from '../../scenarios/schema/plan.js';
import { RANDOM_STREAM, uniform } from '../mcp/draw.js';
import { IntegratedRate, ratePieces } from './integrated-rate.js';
import type { LoadShape } from './load-shape.js';

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

/**
 * Where the arrivals of one client lie on the axis of expected arrivals (a process of rate 1), strictly increasing in
 * the index. `IntegratedRate` maps that axis to time.
 */
interface Positions {
  at(index: number): number;
  /** How many positions are <= area. */
  countUpTo(area: number): number;
}

/** One arrival per unit. The phase differs from client to client, so that their arrivals do not come in bursts. */
class UniformPositions implements Positions {
  constructor(private readonly phase: number) {}

  at(index: number): number {
    return index + this.phase;
  }

  countUpTo(area: number): number {
    return Math.max(0, Math.floor(area - this.phase) + 1);
  }
}

/**
 * A Poisson process of rate 1: exponential gaps, each a pure function of (seed, slot, index). The gaps are summed in
 * order and the last two sums are kept; asking for an earlier index starts again from the beginning.
 */
class PoissonPositions implements Positions {
  private index = 0;
  private position: number;
  private before = 0;

  constructor(
    private readonly seed: number,
    private readonly slot: number,
  ) {
    this.position = this.gap(0);
  }

  at(index: number): number {
    if (index === this.index - 1) return this.before;
    if (index < this.index) this.restart();
    while (this.index < index) this.step();
    return this.position;
  }

  countUpTo(area: number): number {
    if (this.index > 0 && this.before > area) this.restart();
    while (this.position <= area) this.step();
    return this.index;
  }

  private step(): void {
    this.index++;
    this.before = this.position;
    this.position += this.gap(this.index);
  }

  private restart(): void {
    this.index = 0;
    this.before = 0;
    this.position = this.gap(0);
  }

  private gap(index: number): number {
    return -Math.log(uniform(this.seed, this.slot, index, RANDOM_STREAM.arrivals));
  }
}
