import { NOT_DELIVERED } from '../judge/load-delivery.js';

/**
 * The search for the highest rate that a target bears: doubling until a rate is not met (or halving until one is), then
 * bisection to the wanted precision, then the best rate again until it is confirmed. One unmet trial of a rate makes it
 * unmet, so chance does not decide. Pure: the probes so far say what comes next.
 */
export type ProbeOutcome =
  /** All thresholds held and the load was delivered. */
  | 'met'
  | 'unmet'
  /** The generator, not the target, was at its limit: this rate says nothing of the target. */
  | 'generator';

export interface Probe {
  /** Operations a second, all profiles together. */
  readonly ratePerSecond: number;
  readonly outcome: ProbeOutcome;
}

export interface SearchLimits {
  /** First rate tried. */
  readonly fromPerSecond: number;
  /** No higher rate is tried. */
  readonly mostPerSecond: number;
  /** The search is over when the lowest unmet rate is above the highest met by no more than this share of it. */
  readonly precision: number;
  /** How often the best rate must be met again. */
  readonly confirmations: number;
  readonly mostProbes: number;
}

type SearchStep =
  | { readonly kind: 'probe'; readonly ratePerSecond: number; readonly purpose: 'step' | 'bisect' | 'confirm' }
  | { readonly kind: 'done'; readonly found: Found };

/** Capacity lies in [met, unmet): an interval, since between the two nothing was tried. */
export interface Found {
  /** Highest rate of which every trial was met; undefined: none was. */
  readonly metPerSecond: number | undefined;
  /** Lowest rate that was not; undefined: there was none. */
  readonly unmetPerSecond: number | undefined;
  readonly end:
    | 'converged'
    /** The highest rate allowed was met. */
    | 'most'
    /** Beyond `metPerSecond` only the generator's limit was found. */
    | 'generator'
    /** Out of probes before the interval was narrow enough or confirmed. */
    | 'probes'
    /** Even the lowest rate tried was not met. */
    | 'nothing-met';
}

/** Below this share of the first rate there is nothing worth finding. */
const LEAST_SHARE = 1 / 64;

export function nextStep(probes: readonly Probe[], limits: SearchLimits): SearchStep {
  const unmet = lowest(probes, 'unmet');
  const generator = lowest(probes, 'generator');
  const upper = Math.min(unmet ?? Infinity, generator ?? Infinity);
  const met = Math.max(
    0,
    ...probes
      .filter(({ outcome, ratePerSecond }) => outcome === 'met' && ratePerSecond < upper)
      .map(({ ratePerSecond }) => ratePerSecond),
  );
  const done = (end: Found['end']): SearchStep => ({
    kind: 'done',
    found: { metPerSecond: met === 0 ? undefined : met, unmetPerSecond: unmet, end },
  });
  const probe = (ratePerSecond: number, purpose: 'step' | 'bisect' | 'confirm'): SearchStep =>
    probes.length < limits.mostProbes ? { kind: 'probe', ratePerSecond, purpose } : done('probes');

  if (met === 0) {
    if (upper === Infinity) return probe(Math.min(limits.fromPerSecond, limits.mostPerSecond), 'step');
    const lower = upper / 2;
    if (lower < limits.fromPerSecond * LEAST_SHARE)
      return done(generator !== undefined && generator <= upper ? 'generator' : 'nothing-met');
    return probe(rounded(lower), 'step');
  }
  if (upper === Infinity && met < limits.mostPerSecond)
    return probe(Math.min(rounded(met * 2), limits.mostPerSecond), 'step');
  if (upper !== Infinity && upper - met > limits.precision * met) {
    const middle = rounded((met + upper) / 2);
    if (middle > met && middle < upper) return probe(middle, 'bisect');
  }
  const trials = probes.filter(({ ratePerSecond }) => ratePerSecond === met).length;
  if (trials < 1 + limits.confirmations) return probe(met, 'confirm');
  if (upper === Infinity) return done('most');
  return done(unmet !== undefined && unmet <= upper ? 'converged' : 'generator');
}

function lowest(probes: readonly Probe[], outcome: ProbeOutcome): number | undefined {
  const rates = probes.filter((probe) => probe.outcome === outcome).map(({ ratePerSecond }) => ratePerSecond);
  return rates.length === 0 ? undefined : Math.min(...rates);
}

/** Three digits: nobody asks for the rate 1,234.5678 a second. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(3));
}

/**
 * What a run at one rate says of the target. A target too slow for the load makes a run invalid as a measurement
 * ("load not delivered"), yet says clearly that this rate is not met; any other invalid run says nothing of the target.
 * @returns undefined for a run that did not come to its end, which says nothing at all
 */
export function outcomeOfRun(
  verdict: { readonly kind: 'passed' | 'failed' | 'invalid' | 'incomplete'; readonly reasons: readonly string[] },
  thresholds: readonly { readonly check: string }[],
): ProbeOutcome | undefined {
  switch (verdict.kind) {
    case 'passed':
      return 'met';
    case 'failed':
      return 'unmet';
    case 'invalid':
      return verdict.reasons.every(
        (reason) => reason.startsWith(NOT_DELIVERED) || thresholds.some(({ check }) => reason.startsWith(check)),
      )
        ? 'unmet'
        : 'generator';
    case 'incomplete':
      return undefined;
  }
}
