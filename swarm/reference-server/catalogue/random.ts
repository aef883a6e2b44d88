/**
 * Seeded randomness: the same seed gives the same sequence on every machine, so what the tools did is known.
 */

/** mulberry32: 32 bits of state, uniform in [0, 1), a few nanoseconds a draw. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One standard normal number by Box-Muller; 1 - u keeps the logarithm away from zero. */
function normal(uniform: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** The 99th percentile of the standard normal distribution. */
const z99 = 2.3263478740408408;

/** The spread of the lognormal distribution that has this median and this 99th percentile. */
export function sigmaFor(median: number, p99: number): number {
  return Math.log(p99 / median) / z99;
}

export function lognormal(uniform: () => number, median: number, sigma: number): number {
  return median * Math.exp(sigma * normal(uniform));
}

/**
 * A sequence for each seed: calls with the same seed draw from the same one in turn. Bounded: the oldest goes first.
 */
export class SeededSequences {
  private readonly sequences = new Map<number, () => number>();

  constructor(private readonly limit = 1024) {}

  of(seed: number): () => number {
    const known = this.sequences.get(seed);
    if (known !== undefined) return known;
    const fresh = seeded(seed);
    this.sequences.set(seed, fresh);
    if (this.sequences.size > this.limit) {
      const oldest = this.sequences.keys().next();
      if (oldest.done !== true) this.sequences.delete(oldest.value);
    }
    return fresh;
  }

  reset(): void {
    this.sequences.clear();
  }
}
