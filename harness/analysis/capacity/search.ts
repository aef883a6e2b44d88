/**
 * The search for the highest rate at which a target meets its thresholds. It doubles the rate until one is not met (or
 * halves it until one is), bisects to the wanted precision, and tries the best rate again until it is confirmed. A rate
 * that one trial did not meet is not met. Pure: the next step follows from the probes so far.
 */
export type ProbeOutcome =
  /** All thresholds held and the load was delivered. */
  | 'met'
  | 'unmet'
  /** The generator, not the target, was at its limit: this probe says nothing about the target. */
  | 'generator';

export interface Probe {
  /** Operations a second, all profiles together. */
  readonly ratePerSecond: number;
  readonly outcome: ProbeOutcome;
}

export interface SearchLimits {
  /** The first rate to try. */
  readonly fromPerSecond: number;
  /** The highest rate to try. */
  readonly mostPerSecond: number;
  /** The search ends when the lowest unmet rate is at most this share above the highest met one. */
  readonly precision: number;
  /** How often the best rate must be met again. */
  readonly confirmations: number;
  readonly mostProbes: number;
}

type SearchStep =
  | { readonly kind: 'probe'; readonly ratePerSecond: number; readonly purpose: 'step' | 'bisect' | 'confirm' }
  | { readonly kind: 'done'; readonly found: Found };

/** Capacity lies in [met, unmet): between the two nothing was tried. */
export interface Found {
  /** The highest rate that every trial met; undefined when there is none. */
  readonly metPerSecond: number | undefined;
  /** The lowest rate that a trial did not meet; undefined when there is none. */
  readonly unmetPerSecond: number | undefined;
  readonly end:
    | 'converged'
    /** The highest rate allowed was met. */
    | 'most'
    /** Above `metPerSecond` the generator was at its limit. */
    | 'generator'
    /** Out of probes before the interval was narrow enough or confirmed. */
    | 'probes'
    /** Even the lowest rate tried was not met. */
    | 'nothing-met';
}

/** Rates below this share of the first one are not tried. */
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

/** Three digits are precise enough for a rate. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(3));
}

/**
 * What a run at one rate says about the target: an invalid run says nothing about it.
 * @returns undefined for a run that did not reach its end, which says nothing at all
 */
export function outcomeOfRun(verdict: {
  readonly kind: 'passed' | 'failed' | 'invalid' | 'incomplete';
  readonly reasons: readonly string[];
}): ProbeOutcome | undefined {
  switch (verdict.kind) {
    case 'passed':
      return 'met';
    case 'failed':
      return 'unmet';
    case 'invalid':
      return 'generator';
    case 'incomplete':
      return undefined;
  }
}
