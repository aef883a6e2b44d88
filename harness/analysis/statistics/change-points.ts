/**
 * Where the level of a series of runs changed. Binary segmentation by ranks, with a permutation test: the idea of
 * E-divisive means (Matteson and James, 2014), with ranks so that a single outlier is no change.
 * It gives hints, never a verdict: runs of many months are no experiment.
 */
import { mulberry32 } from './distributions.js';

export interface ChangePoint {
  /** Index of the first value of the new level. */
  readonly index: number;
  /** Medians of the two levels. */
  readonly before: number;
  readonly after: number;
  /** How often chance alone divides these values so well. */
  readonly p: number;
}

/** With fewer values on a side there is no level. */
const FEWEST = 5;
/** Several series with several divisions each are tested, so a hint needs more than one in twenty. */
const SIGNIFICANCE = 0.005;
const SHUFFLES = 999;

/** Rising by index. The same values give the same answer. */
export function changePoints(values: readonly number[]): readonly ChangePoint[] {
  const found = divide(values, 0, values.length, mulberry32(values.length + 1)).toSorted((a, b) => a.index - b.index);
  return found.map(({ index, p }, at) => {
    const from = found[at - 1]?.index ?? 0;
    const to = found[at + 1]?.index ?? values.length;
    return { index, p, before: median(values.slice(from, index)), after: median(values.slice(index, to)) };
  });
}

interface Division {
  readonly index: number;
  readonly p: number;
}

function divide(values: readonly number[], from: number, to: number, random: () => number): readonly Division[] {
  if (to - from < 2 * FEWEST) return [];
  const ranks = ranksOf(values.slice(from, to));
  const best = bestDivision(ranks);
  let asGood = 1;
  const shuffled = [...ranks];
  for (let round = 0; round < SHUFFLES; round += 1) {
    shuffle(shuffled, random);
    if (bestDivision(shuffled).strength >= best.strength - 1e-9) asGood += 1;
  }
  const p = asGood / (SHUFFLES + 1);
  if (p > SIGNIFICANCE) return [];
  const index = from + best.at;
  return [{ index, p }, ...divide(values, from, index, random), ...divide(values, index, to, random)];
}

/** The division with the largest Mann-Whitney statistic, in standard deviations. */
function bestDivision(ranks: readonly number[]): { readonly at: number; readonly strength: number } {
  const n = ranks.length;
  let best = { at: FEWEST, strength: 0 };
  let sum = 0;
  for (let at = 1; at <= n - FEWEST; at += 1) {
    sum += ranks[at - 1] ?? 0;
    if (at < FEWEST) continue;
    const expected = (at * (n + 1)) / 2;
    const strength = Math.abs(sum - expected) / Math.sqrt((at * (n - at) * (n + 1)) / 12);
    if (strength > best.strength) best = { at, strength };
  }
  return best;
}

/** From 1; equal values share the mean of their ranks. */
function ranksOf(values: readonly number[]): readonly number[] {
  const order = values.map((value, index) => ({ value, index })).toSorted((a, b) => a.value - b.value);
  const ranks = new Array<number>(values.length).fill(0);
  for (let first = 0; first < order.length; ) {
    let last = first;
    while (order[last + 1]?.value === order[first]?.value) last += 1;
    for (let at = first; at <= last; at += 1) ranks[order[at]?.index ?? 0] = (first + last) / 2 + 1;
    first = last + 1;
  }
  return ranks;
}

function shuffle(values: number[], random: () => number): void {
  for (let last = values.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const kept = values[last] ?? 0;
    values[last] = values[other] ?? 0;
    values[other] = kept;
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
