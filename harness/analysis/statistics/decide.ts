/** What a comparison says of a rule, and what it could have found. */
import { mulberry32, normals, studentQuantile } from './distributions.js';
import { deviation, type Effect, signFlips } from './effects.js';
import { FEWEST_TRIALS } from './median-interval.js';
import { mean } from './numbers.js';

/** `inconclusive` says neither that there is a difference nor that there is none. */
export type Answer = 'regressed' | 'improved' | 'equivalent' | 'inconclusive';

export interface Decision {
  readonly answer: Answer;
  /** The interval holds no regression as large as the rule. */
  readonly regressionExcluded: boolean;
}

const SIGNIFICANT = 0.05;
/** Equality is claimed only where a change as large as the rule would have been found this often. */
export const ENOUGH_POWER = 0.8;

/**
 * Something changed when chance alone makes such a difference at most once in 20 comparisons, when the interval reaches
 * beyond the rule, and when the estimate is nearer to the rule than to no change: the likelier of the two. So a change
 * as large as the rule is found with the power that `powerOf` states, and one that is certainly smaller is not.
 * @param effect positive where the changed side is worse; see `worsening`
 * @param margin of the rule, on the scale of the effect
 * @param power of finding a change as large as the rule; undefined: equality cannot be claimed (within one run)
 */
export function decide(effect: Effect, margin: number, power: number | undefined): Decision {
  const { effect: estimate, low, high, p } = effect;
  const regressionExcluded = high < margin;
  const answer = (): Answer => {
    const inside = low > -margin && high < margin;
    if (inside && power !== undefined && power >= ENOUGH_POWER) return 'equivalent';
    if (inside || p > SIGNIFICANT) return 'inconclusive';
    if (low > 0 && estimate > margin / 2) return 'regressed';
    return high < 0 && estimate < -margin / 2 ? 'improved' : 'inconclusive';
  };
  return { answer: answer(), regressionExcluded };
}

/** The same effect with the sign turned for figures of which more is better. */
export function worsening(effect: Effect, worse: 'higher' | 'lower'): Effect {
  if (worse === 'higher') return effect;
  return { ...effect, effect: -effect.effect, low: -effect.high, high: -effect.low };
}

export interface Experiment {
  /** The standard deviation of the figure between trials, on the scale of the effect. */
  readonly spread: number;
  /** Trials of each side. */
  readonly trials: number;
  readonly margin: number;
  readonly paired?: boolean;
}

const DRAWS = 2000;
/** So few pairs have only a few values of p, which a normal approximation does not show. */
const FEW_PAIRS = 8;

/** How often `decide` answers `regressed` when the true change is `effect`, by simulation. */
export function powerOf(experiment: Experiment, effect: number): number {
  const { spread, trials, margin, paired = false } = experiment;
  if (trials < 2) return 0;
  if (spread === 0) return Number(effect > margin / 2);
  return paired && trials <= FEW_PAIRS ? powerOfFewPairs(experiment, effect) : powerOfMany(experiment, effect);
}

/** From simulated means and deviations: Student's t is what the permutation comes close to. */
function powerOfMany({ spread, trials, margin, paired = false }: Experiment, effect: number): number {
  const freedom = paired ? trials - 1 : 2 * trials - 2;
  const error = spread * Math.sqrt(2 / trials);
  const t = studentQuantile(0.975, freedom);
  const normal = normals(mulberry32(1));
  let found = 0;
  for (let draw = 0; draw < DRAWS; draw += 1) {
    const estimate = effect + error * normal();
    const width = t * error * Math.sqrt(chiSquare(freedom, normal()) / freedom);
    if (estimate > width && estimate > margin / 2 && estimate + width > margin) found += 1;
  }
  return found / DRAWS;
}

/** From simulated pairs, each with its sign flips. */
function powerOfFewPairs({ spread, trials, margin }: Experiment, effect: number): number {
  const normal = normals(mulberry32(1));
  const t = studentQuantile(0.975, trials - 1);
  const draws = DRAWS / 2;
  let found = 0;
  for (let draw = 0; draw < draws; draw += 1) {
    const differences = Array.from({ length: trials }, () => effect + spread * Math.SQRT2 * normal());
    const estimate = mean(differences);
    const width = (t * deviation(differences)) / Math.sqrt(trials);
    if (estimate <= width || estimate <= margin / 2 || estimate + width <= margin) continue;
    if (signFlips(differences, 1) <= SIGNIFICANT) found += 1;
  }
  return found / draws;
}

/** The quantile at the normal deviate `z` (Wilson and Hilferty 1931). */
function chiSquare(freedom: number, z: number): number {
  return freedom * Math.max(1e-3, 1 - 2 / (9 * freedom) + z * Math.sqrt(2 / (9 * freedom))) ** 3;
}

/** The largest spread that trials with this one may have: a few trials look quieter than they are one time in two. */
export function largestSpread(spread: number, trials: number, paired = false): number {
  const freedom = paired ? trials - 1 : 2 * trials - 2;
  return freedom < 1 ? Infinity : spread * Math.sqrt(freedom / chiSquare(freedom, -1.645));
}

export const MOST_TRIALS = 200;

/**
 * With how many trials a side a comparison like this one would be settled: a change as large as the rule, or as the
 * estimate where that is larger, is found four times in five, and an estimate inside the rule has room for its
 * interval.
 * @param estimate positive: worse. @returns undefined for more than `MOST_TRIALS`
 */
export function trialsToSettle(experiment: Omit<Experiment, 'trials'>, estimate: number): number | undefined {
  const { margin, spread, paired = false } = experiment;
  const size = Math.max(margin, Math.abs(estimate));
  const settles = (trials: number): boolean => {
    const room = margin - Math.abs(estimate);
    const t = studentQuantile(0.975, paired ? trials - 1 : 2 * trials - 2);
    if (room > 0 && t * spread * Math.sqrt(2 / trials) > Math.max(room, margin / 4)) return false;
    return powerOf({ ...experiment, trials }, size) >= ENOUGH_POWER;
  };
  if (!settles(MOST_TRIALS)) return undefined;
  let [low, high] = [FEWEST_TRIALS, MOST_TRIALS];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (settles(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}

/** The smallest change that is found four times in five. */
export function detectable(experiment: Experiment): number {
  const { spread, margin } = experiment;
  let [low, high] = [0, margin + 12 * spread];
  for (let step = 0; step < 20; step += 1) {
    const middle = (low + high) / 2;
    if (powerOf(experiment, middle) >= ENOUGH_POWER) high = middle;
    else low = middle;
  }
  return high;
}
