import { RANDOM_STREAM, uniform } from '../mcp/draw.js';

/**
 * Where the arrivals of one client lie on the axis of expected arrivals (a process of rate 1), strictly increasing in
 * the index. `IntegratedRate` maps that axis to time.
 */
export interface Positions {
  at(index: number): number;
  /** How many positions are <= area. */
  countUpTo(area: number): number;
}

/** One arrival per unit. The phase differs from client to client, so that their arrivals do not come in bursts. */
export class UniformPositions implements Positions {
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
export class PoissonPositions implements Positions {
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
