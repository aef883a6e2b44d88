/**
 * How much a figure differs between two sides, with an interval of 95 % and the probability of a difference this large
 * by chance. The interval is that of a bootstrap over whole trials (or blocks), the probability that of an exact
 * permutation of trials.
 */
import { mulberry32, normalCdf, studentQuantile } from './distributions.js';
import { allOf, type Figures, ofEach } from './figures.js';
import { mean, sum } from './numbers.js';

/** `ratio`: the effect is the logarithm of changed / base. `difference`: it is changed - base. */
export type Scale = 'ratio' | 'difference';

export interface Effect {
  /** Of all trials of a side merged. */
  readonly base: number;
  readonly changed: number;
  readonly effect: number;
  /** 95 %. Infinite where the data gives none. */
  readonly low: number;
  readonly high: number;
  /** Two-sided: how often chance alone makes a difference this large. */
  readonly p: number;
  /** The standard deviation of the figure between trials of one side; of pairs: of their difference, divided by √2. */
  readonly spread: number;
}

/**
 * `unpaired`: trials in any order. `paired`: trial i of one side belongs to trial i of the other, and both sides have
 * the same number. `blocks`: the parts of one run a side; a part is only drawn in place of one of the same stratum, and
 * `between` is what is known of the standard deviation between runs, on the scale of the effect.
 */
export type Design =
  | { readonly kind: 'unpaired' }
  | { readonly kind: 'paired' }
  | {
      readonly kind: 'blocks';
      readonly strata: readonly [base: readonly number[], changed: readonly number[]];
      readonly between: (figure: number) => number;
    };

const RESAMPLES = 2000;
const SHARE = 0.975;

/** @param scales one for each figure. @returns one for each figure; undefined where a side has no data */
export function effectsOf(
  base: Figures,
  changed: Figures,
  scales: readonly Scale[],
  design: Design,
  seed: number,
): readonly (Effect | undefined)[] {
  const whole = [base.read(allOf(base.size)), changed.read(allOf(changed.size))] as const;
  const each = [ofEach(base), ofEach(changed)] as const;
  const drawn = resample(base, changed, scales, design, seed);
  return scales.map((scale, at) => {
    const [from, to] = [whole[0][at] ?? Number.NaN, whole[1][at] ?? Number.NaN];
    const effect = effectOf(scale, from, to);
    if (!Number.isFinite(effect)) return undefined;
    const values = each.map((side) => side.map((figures) => onScale(scale, figures[at] ?? Number.NaN)));
    const [ofBase = [], ofChanged = []] = values;
    const found = { base: from, changed: to, effect };
    const draws = (drawn[at] ?? []).filter(Number.isFinite).sort((a, b) => a - b);
    if (design.kind === 'blocks')
      return { ...found, ...ofBlocks(effect, draws, base.size, changed.size, design.between(at)) };
    if (design.kind === 'paired') {
      const differences = ofChanged.map((value, trial) => value - (ofBase[trial] ?? Number.NaN));
      const n = differences.length;
      return {
        ...found,
        ...percentiles(draws, n / (n - 1), n - 1),
        p: signFlips(differences, seed),
        spread: deviation(differences) / Math.SQRT2,
      };
    }
    const [n, m] = [ofBase.length, ofChanged.length];
    const [a, b] = [deviation(ofBase) ** 2 / n, deviation(ofChanged) ** 2 / m];
    const variance = a + b;
    // Welch and Satterthwaite; where no trial differs, any will do.
    const freedom = variance > 0 ? variance ** 2 / (a ** 2 / (n - 1) + b ** 2 / (m - 1)) : n + m - 2;
    const drawnVariance = a * (1 - 1 / n) + b * (1 - 1 / m);
    return {
      ...found,
      ...percentiles(draws, variance > 0 ? variance / drawnVariance : 1, freedom),
      p: permutations(ofBase, ofChanged, seed),
      spread: pooled(ofBase, ofChanged),
    };
  });
}

function effectOf(scale: Scale, base: number, changed: number): number {
  return onScale(scale, changed) - onScale(scale, base);
}

function onScale(scale: Scale, value: number): number {
  return scale === 'ratio' ? Math.log(value) : value;
}

/** Effects of resamples, by figure. */
function resample(base: Figures, changed: Figures, scales: readonly Scale[], design: Design, seed: number): number[][] {
  const random = mulberry32(seed);
  const drawn: number[][] = scales.map(() => []);
  const [ofBase, ofChanged] = [new Float64Array(base.size), new Float64Array(changed.size)];
  const strata = design.kind === 'blocks' ? design.strata.map(membersOf) : [];
  for (let round = 0; round < RESAMPLES; round += 1) {
    draw(ofBase, random, strata[0]);
    if (design.kind === 'paired') ofChanged.set(ofBase);
    else draw(ofChanged, random, strata[1]);
    const [from, to] = [base.read(ofBase), changed.read(ofChanged)];
    for (const [at, scale] of scales.entries())
      drawn[at]?.push(effectOf(scale, from[at] ?? Number.NaN, to[at] ?? Number.NaN));
  }
  return drawn;
}

/** How often each trial was drawn, with replacement, within its stratum. */
function draw(weights: Float64Array, random: () => number, strata?: readonly (readonly number[])[]): void {
  weights.fill(0);
  if (strata === undefined) {
    for (let drawn = 0; drawn < weights.length; drawn += 1) add(weights, Math.floor(random() * weights.length));
    return;
  }
  for (const members of strata)
    for (let drawn = 0; drawn < members.length; drawn += 1)
      add(weights, members[Math.floor(random() * members.length)] ?? 0);
}

function add(weights: Float64Array, at: number): void {
  weights[at] = (weights[at] ?? 0) + 1;
}

function membersOf(strata: readonly number[]): readonly (readonly number[])[] {
  const members = new Map<number, number[]>();
  for (const [at, stratum] of strata.entries()) members.set(stratum, [...(members.get(stratum) ?? []), at]);
  return [...members.values()];
}

/**
 * The expanded percentile interval (T. C. Hesterberg, "What Teachers Should Know About the Bootstrap", 2015, 3.3): the
 * plain one is too narrow for few trials, because resamples vary less than samples by `inflation` and because the
 * variance itself is uncertain. It takes percentiles further out, so that the width is that of Student's t.
 */
function percentiles(draws: readonly number[], inflation: number, freedom: number): { low: number; high: number } {
  if (draws.length < 0.9 * RESAMPLES) return { low: -Infinity, high: Infinity };
  const tail = normalCdf(-Math.sqrt(inflation) * studentQuantile(SHARE, freedom));
  const at = (share: number): number => draws[Math.round(share * (draws.length - 1))] ?? Number.NaN;
  return { low: at(tail), high: at(1 - tail) };
}

/** Within one run a side: the spread of resamples, widened by what runs are known to differ. */
function ofBlocks(
  effect: number,
  draws: readonly number[],
  ofBase: number,
  ofChanged: number,
  between: number,
): Pick<Effect, 'low' | 'high' | 'p' | 'spread'> {
  const least = Math.min(ofBase, ofChanged);
  if (draws.length < 0.9 * RESAMPLES || least < 2) return { low: -Infinity, high: Infinity, p: 1, spread: Infinity };
  const within = deviation(draws) * Math.sqrt(least / (least - 1));
  const error = Math.hypot(within, between);
  const width = studentQuantile(SHARE, least - 1) * error;
  const p = error === 0 ? Number(effect === 0) : 2 * normalCdf(-Math.abs(effect) / error);
  return { low: effect - width, high: effect + width, p, spread: error / Math.SQRT2 };
}

/** All ways to deal the trials out to two sides, if there are no more than this; otherwise a sample of as many. */
const MOST_DEALS = 200_000;
const DRAWN_DEALS = 20_000;
/** Sums of the same numbers in another order differ by rounding. */
const ROUNDING = 1e-9;

/** How often dealing the trials out anew gives means at least as far apart. */
export function permutations(base: readonly number[], changed: readonly number[], seed: number): number {
  const all = [...base, ...changed];
  if (!all.every(Number.isFinite)) return 1;
  const [n, m] = [base.length, changed.length];
  const total = sum(all);
  const distance = (ofBase: number): number => Math.abs((total - ofBase) / m - ofBase / n);
  const least = distance(sum(base)) - ROUNDING * Math.max(1, ...all.map(Math.abs));
  let reached = 0;
  let deals = 0;
  const count = (ofBase: number): void => {
    deals += 1;
    if (distance(ofBase) >= least) reached += 1;
  };
  if (choices(n + m, n) <= MOST_DEALS) eachChoice(all, n, 0, 0, count);
  else {
    const random = mulberry32(seed);
    for (let round = 0; round < DRAWN_DEALS; round += 1) count(sumOfDrawn(all, n, random));
    // The deal that was made counts, too (Phipson and Smyth 2010).
    count(sum(base));
  }
  return reached / deals;
}

/** The same for pairs: how often swapping the sides of pairs at random gives a mean difference at least as large. */
export function signFlips(differences: readonly number[], seed: number): number {
  const n = differences.length;
  if (n === 0 || !differences.every(Number.isFinite)) return 1;
  const least = Math.abs(sum(differences)) - ROUNDING * Math.max(1, ...differences.map(Math.abs));
  const exact = 2 ** n <= MOST_DEALS;
  const random = mulberry32(seed);
  const rounds = exact ? 2 ** n : DRAWN_DEALS;
  let reached = 0;
  for (let round = 0; round < rounds; round += 1) {
    const flipped = differences.reduce((total, difference, at) => {
      const keeps = exact ? ((round >> at) & 1) === 0 : random() < 0.5;
      return keeps ? total + difference : total - difference;
    }, 0);
    if (Math.abs(flipped) >= least) reached += 1;
  }
  return exact ? reached / rounds : (reached + 1) / (rounds + 1);
}

/** Calls back with the sum of each choice of `left` of the values from `from` on. */
function eachChoice(
  values: readonly number[],
  left: number,
  from: number,
  soFar: number,
  found: (sum: number) => void,
): void {
  if (left === 0) {
    found(soFar);
    return;
  }
  for (let at = from; at <= values.length - left; at += 1)
    eachChoice(values, left - 1, at + 1, soFar + (values[at] ?? 0), found);
}

function sumOfDrawn(values: readonly number[], n: number, random: () => number): number {
  const rest = [...values];
  let total = 0;
  for (let drawn = 0; drawn < n; drawn += 1) {
    const at = drawn + Math.floor(random() * (rest.length - drawn));
    total += rest[at] ?? 0;
    rest[at] = rest[drawn] ?? 0;
  }
  return total;
}

function choices(n: number, k: number): number {
  let product = 1;
  for (let at = 1; at <= Math.min(k, n - k); at += 1) product = (product * (n - at + 1)) / at;
  return product;
}

/** Standard deviation of a sample; 0 for one value. */
export function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return values.length < 2 ? 0 : Math.sqrt(sum(values.map((value) => (value - middle) ** 2)) / (values.length - 1));
}

function pooled(a: readonly number[], b: readonly number[]): number {
  const freedom = a.length + b.length - 2;
  if (freedom < 1) return 0;
  return Math.sqrt(((a.length - 1) * deviation(a) ** 2 + (b.length - 1) * deviation(b) ** 2) / freedom);
}

/**
 * Which of many tests are found, when a share of `rate` of what is found may be chance (Benjamini and Hochberg 1995).
 * @returns in the order of `ps`
 */
export function discoveries(ps: readonly number[], rate: number): readonly boolean[] {
  const sorted = [...ps].sort((a, b) => a - b);
  const last = sorted.findLastIndex((p, at) => p <= (rate * (at + 1)) / ps.length);
  const limit = sorted[last];
  return ps.map((p) => limit !== undefined && p <= limit);
}

/**
 * The difference of two shares of counted events, 95 % (R. G. Newcombe 1998, method 10, from Wilson's intervals): wide
 * enough where none or few of the events happened, which no bootstrap can know.
 */
export function differenceOfShares(
  [ofBase, base]: readonly [of: number, per: number],
  [ofChanged, changed]: readonly [of: number, per: number],
): { readonly low: number; readonly high: number } {
  const [a, b] = [wilson(ofBase, base), wilson(ofChanged, changed)];
  const [from, to] = [ofBase / base, ofChanged / changed];
  const difference = to - from;
  return {
    low: difference - Math.hypot(to - b.low, a.high - from),
    high: difference + Math.hypot(b.high - to, from - a.low),
  };
}

function wilson(of: number, per: number): { readonly low: number; readonly high: number } {
  const z2 = 1.959964 ** 2;
  const share = of / per;
  const middle = (share + z2 / (2 * per)) / (1 + z2 / per);
  const width = (Math.sqrt(z2) / (1 + z2 / per)) * Math.sqrt((share * (1 - share)) / per + z2 / (4 * per * per));
  return { low: Math.max(0, middle - width), high: Math.min(1, middle + width) };
}
