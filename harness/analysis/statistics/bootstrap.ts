/** A median and its 95 % interval by percentile bootstrap (Efron 1979): the spread of medians of resamples. */
export interface Interval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

const resamples = 2000;

/** Seeded, so that a report that is rendered again is the same. @returns undefined without values */
export function bootstrapMedian(values: readonly number[], seed: number): Interval | undefined {
  if (values.length === 0) return undefined;
  const random = mulberry32(seed);
  const medians = Array.from({ length: resamples }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)] ?? 0)),
  ).sort((a, b) => a - b);
  const at = (share: number): number => medians[Math.round(share * (resamples - 1))] ?? 0;
  return { median: median(values), low: at(0.025), high: at(0.975) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** T. Ettinger's mulberry32: 32 bits of state are plenty for 2000 resamples of a few trials. */
export function mulberry32(seed: number) {
  let state = seed >>> 0;
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
