/**
 * Compares trials of two sides: pure, from the blocks of their runs. `swarmbench compare` does it with whole runs, the
 * report of a run with arms with the turns of each arm.
 */
import { parseRule } from '../../../scenarios/schema/grammar/rule.js';
import type { RulePlan } from '../../../scenarios/schema/plan.js';
import { formatMs } from '../format.js';
import type { HdrCounts } from '../merge/hdr-counts.js';
import { type Answer, decide, largestSpread, powerOf, trialsToSettle, worsening } from '../statistics/decide.js';
import { type Design, differenceOfShares, discoveries, type Effect, effectsOf } from '../statistics/effects.js';
import type { Statistic } from '../statistics/figures.js';
import { FEWEST_TRIALS } from '../statistics/median-interval.js';
import {
  type BlockData,
  figuresOf,
  histogramFigures,
  histogramOf,
  kindOf,
  ownShareMs,
  ratioOf,
  type Subject,
  scaleOf,
  statisticOf,
  type Unit,
} from './figures-of.js';

/** The trials of one side. */
export interface Trials {
  readonly runs: readonly { readonly blocks: readonly BlockData[] }[];
}

export interface CompareOptions {
  readonly rules: readonly RulePlan[];
  /** Run i of one side belongs to run i of the other. */
  readonly paired: boolean;
  /** How much trials were found to differ by themselves. */
  readonly noise: { readonly spreads: Readonly<Record<string, { readonly deviation: number }>> } | undefined;
}

export interface Comparison {
  readonly design: 'runs' | 'paired runs' | 'within one run';
  readonly trials: { readonly base: number; readonly changed: number };
  readonly rules: readonly RuleResult[];
  readonly exploration: readonly Exploration[];
  /** Answers that the generator itself may have made, one sentence each. */
  readonly ownShares: readonly string[];
  /** Ratio of the latencies at each percentile, with its interval. */
  readonly shift: readonly ShiftPoint[];
}

export interface RuleResult {
  readonly rule: RulePlan;
  readonly answer: Answer;
  /** A regression as large as the rule can be ruled out. */
  readonly regressionExcluded: boolean;
  readonly change: Change | undefined;
  /** Why nothing was decided, or what the interval does not cover. */
  readonly why: string | undefined;
  readonly power: Power | undefined;
  /** With how many trials a side it would be settled; null: with more than 200. Only where it is inconclusive. */
  readonly settledBy: number | null | undefined;
}

/** `ratio`: changed / base - 1. `difference`: changed - base. */
export interface Change {
  readonly scale: 'ratio' | 'difference';
  readonly base: number;
  readonly changed: number;
  readonly change: number;
  readonly low: number;
  readonly high: number;
  readonly p: number;
}

export interface Power {
  /** Standard deviation between trials, on the scale of the effect. */
  readonly spread: number;
  readonly from: 'noise' | 'these trials';
  readonly trials: number;
  /** The rule, on the scale of the effect. */
  readonly margin: number;
  /** How often a change as large as the rule is found. */
  readonly power: number;
}

export interface Exploration {
  readonly text: string;
  readonly subject: Subject;
  readonly change: Change;
  /** One of those that stand out among all that were looked at; 5 % of them may be chance. */
  readonly found: boolean;
}

export interface ShiftPoint {
  readonly percentile: number;
  readonly baseMs: number;
  readonly changedMs: number;
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/** What is compared where neither the scenario nor the command line has rules. */
export const defaultRules: readonly RulePlan[] = [
  'latency.p95 +10% and +2ms',
  'throughput -5%',
  'errors.rate +0.5pp',
].flatMap((text) => {
  const parsed = parseRule(text, {});
  return parsed.ok ? [parsed.rule] : [];
});

/** Fewer operations than this beyond a quantile say nothing of it. */
const LEAST_BEYOND = 100;
/**
 * How much runs are taken to differ by themselves where nobody has measured it: 15 % of a time or a rate, half a
 * percentage point of a share. Two runs of the same code on a busy or a virtual machine differ by that.
 */
const ASSUMED = { ratio: Math.log(1.15), difference: 0.005 } as const;
/** Of the effect, or of the rule where that is larger. */
const MOST_OWN_SHARE = 0.1;
const SEED = 1;
/** Of what is marked in the exploration, so much may be chance. */
const FALSE_DISCOVERIES = 0.05;

export function compareSides(base: Trials, changed: Trials, options: CompareOptions): Comparison {
  const sides = new Sides(base, changed, options);
  const listed = explored(base, changed).filter(
    ({ metric, labels }) => !options.rules.some((rule) => textOf(rule) === textOf({ metric, labels })),
  );
  const effects = sides.effects([...options.rules, ...listed]);
  const rules = options.rules.map((rule) => sides.judge(rule, effects.get(textOf(rule))));
  const changes = listed.flatMap((subject) => {
    const effect = effects.get(textOf(subject));
    return effect === undefined || sides.beyond(subject) < LEAST_BEYOND ? [] : [{ subject, effect }];
  });
  const found = discoveries(
    changes.map(({ effect }) => effect.p),
    FALSE_DISCOVERIES,
  );
  return {
    design: sides.design,
    trials: { base: base.runs.length, changed: changed.runs.length },
    rules,
    exploration: changes.map(({ subject, effect }, at) => ({
      text: textOf(subject),
      subject,
      change: changeOf(scaleOf(subject.metric), effect),
      found: found[at] ?? false,
    })),
    ownShares: rules.flatMap((result) => sides.ownShare(result)),
    shift: sides.shift(),
  };
}

/** The rules alone. @returns each with what the generator itself may have made of it, in a sentence */
export function judgeRules(
  base: Trials,
  changed: Trials,
  options: CompareOptions,
): readonly { readonly result: RuleResult; readonly ownShare: string | undefined }[] {
  const sides = new Sides(base, changed, options);
  const effects = sides.effects(options.rules);
  return options.rules.map((rule) => {
    const result = sides.judge(rule, effects.get(textOf(rule)));
    return { result, ownShare: sides.ownShare(result)[0] };
  });
}

/** `latency.p95{operation="echo"}`. */
export function textOf({ metric, labels }: Subject): string {
  const entries = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return entries.length === 0 ? metric : `${metric}{${entries.join(',')}}`;
}

class Sides {
  readonly design: Comparison['design'];
  private readonly units: readonly [base: readonly Unit[], changed: readonly Unit[]];
  private readonly strata: readonly [readonly number[], readonly number[]];
  private readonly trials: readonly [base: number, changed: number];

  constructor(
    base: Trials,
    changed: Trials,
    private readonly options: CompareOptions,
  ) {
    this.trials = [base.runs.length, changed.runs.length];
    const enough = Math.min(...this.trials) >= FEWEST_TRIALS;
    const whole = options.paired ? 'paired runs' : 'runs';
    this.design = enough ? whole : 'within one run';
    const unitsOf = ({ runs }: Trials): readonly Unit[] =>
      enough ? runs.map(({ blocks }) => blocks) : runs.flatMap(({ blocks }) => blocks.map((block) => [block]));
    this.units = [unitsOf(base), unitsOf(changed)];
    this.strata = [strataOf(base), strataOf(changed)];
  }

  /** By the text of the subject; without those that have no data. Subjects of one family and labels are read once. */
  effects(subjects: readonly Subject[]): ReadonlyMap<string, Effect> {
    const found = new Map<string, Effect>();
    const groups = new Map<string, Subject[]>();
    for (const subject of subjects) {
      const family = subject.metric.split('.')[0];
      const key = kindOf(subject.metric) === 'histogram' ? JSON.stringify([family, subject.labels]) : textOf(subject);
      groups.set(key, [...(groups.get(key) ?? []), subject]);
    }
    for (const group of groups.values())
      for (const [at, effect] of this.effectsOfGroup(group).entries()) {
        const subject = group[at];
        if (subject !== undefined && effect !== undefined) found.set(textOf(subject), effect);
      }
    return found;
  }

  private effectsOfGroup(group: readonly Subject[]): readonly (Effect | undefined)[] {
    const [subject] = group;
    const [base, changed] = this.units;
    if (subject === undefined || base.length === 0 || changed.length === 0) return [];
    const scales = group.map(({ metric }) => scaleOf(metric));
    const design = this.designOf((figure) => this.between(group[figure] ?? subject));
    if (kindOf(subject.metric) === 'histogram') {
      const statistics = group.map(({ metric }) => statisticOf(metric));
      return effectsOf(
        histogramFigures(base, subject, statistics),
        histogramFigures(changed, subject, statistics),
        scales,
        design,
        SEED,
      );
    }
    const effects = effectsOf(figuresOf(base, subject), figuresOf(changed, subject), scales, design, SEED);
    return kindOf(subject.metric) === 'share' ? effects.map((effect) => this.withCounts(subject, effect)) : effects;
  }

  /** Widened to what the numbers of events themselves allow: no errors in 100 operations are not an error rate of 0. */
  private withCounts(subject: Subject, effect: Effect | undefined): Effect | undefined {
    if (effect === undefined) return undefined;
    const [base, changed] = this.units.map((units) => ratioOf(units.flat(), subject));
    if (base === undefined || changed === undefined) return effect;
    const counted = differenceOfShares([base.of, base.per], [changed.of, changed.per]);
    return { ...effect, low: Math.min(effect.low, counted.low), high: Math.max(effect.high, counted.high) };
  }

  private designOf(between: (figure: number) => number): Design {
    switch (this.design) {
      case 'runs':
        return { kind: 'unpaired' };
      case 'paired runs':
        return { kind: 'paired' };
      case 'within one run':
        return { kind: 'blocks', strata: this.strata, between };
    }
  }

  /** How much the two sides differ by themselves, as a standard deviation. */
  private between(subject: Subject): number {
    const [base, changed] = this.trials;
    return (this.measured(subject) ?? ASSUMED[scaleOf(subject.metric)]) * Math.sqrt(1 / base + 1 / changed);
  }

  /** The spread between trials that was measured beforehand: of this subject, or of its metric without labels. */
  private measured(subject: Subject): number | undefined {
    const spreads = this.options.noise?.spreads ?? {};
    return (spreads[textOf(subject)] ?? spreads[subject.metric])?.deviation;
  }

  judge(rule: RulePlan, effect: Effect | undefined): RuleResult {
    const scale = scaleOf(rule.metric);
    const open = {
      rule,
      answer: 'inconclusive',
      regressionExcluded: false,
      power: undefined,
      settledBy: undefined,
    } as const;
    if (effect === undefined) return { ...open, change: undefined, why: 'one side has no data of it' };
    const change = changeOf(scale, effect);
    const beyond = this.beyond(rule);
    if (beyond < LEAST_BEYOND)
      return {
        ...open,
        change,
        why: `only ${Math.floor(beyond)} operations of a side lie beyond it: at least ${LEAST_BEYOND} are needed`,
      };
    const margin = marginOf(rule, effect.base);
    const worse = worsening(effect, rule.worse);
    const within = this.design === 'within one run';
    const power = this.power(rule, effect, margin);
    const paired = this.design === 'paired runs';
    const { answer, regressionExcluded } = decide(worse, margin, within ? undefined : this.powerForEquality(power));
    const spread = power?.spread ?? ASSUMED[scale];
    return {
      rule,
      answer,
      regressionExcluded: regressionExcluded && !within,
      change,
      why: within ? this.withinOneRun(rule) : undefined,
      power,
      settledBy:
        answer === 'inconclusive' ? (trialsToSettle({ spread, margin, paired }, worse.effect) ?? null) : undefined,
    };
  }

  private withinOneRun(rule: RulePlan): string {
    const scale = scaleOf(rule.metric);
    const known = this.measured(rule);
    const spread = known ?? ASSUMED[scale];
    const text = scale === 'ratio' ? `${percentText(Math.expm1(spread))}` : `${(spread * 100).toFixed(2)} pp`;
    return known === undefined
      ? `within one run only; runs are taken to differ by ${text} by themselves, which nobody has measured here`
      : `within one run only; runs differ by ${text} by themselves`;
  }

  private power(rule: RulePlan, effect: Effect, margin: number): Power | undefined {
    const known = this.measured(rule);
    const observed = this.design === 'within one run' ? undefined : effect.spread;
    const spread = Math.max(known ?? 0, observed ?? 0);
    if (known === undefined && observed === undefined) return undefined;
    const trials = Math.min(...this.trials);
    return {
      spread,
      from: known !== undefined && known === spread ? 'noise' : 'these trials',
      trials,
      margin,
      power: powerOf({ spread, trials, margin, paired: this.design === 'paired runs' }, margin),
    };
  }

  /** Where something was decided, the generator's own share must be small beside what was found. */
  ownShare({ rule, answer, change }: RuleResult): readonly string[] {
    if (answer === 'inconclusive' || change === undefined) return [];
    const shares = this.units.map((units) => ownShareMs(units.flat(), rule) ?? 0);
    const largest = Math.max(...shares);
    const found = Math.abs(change.changed - change.base);
    const rules = Math.max((rule.relative ?? 0) * change.base, rule.absolute ?? 0);
    if (largest <= MOST_OWN_SHARE * Math.max(found, rules)) return [];
    return [
      `${rule.text}: the load generator itself may have added ${formatMs(largest)}, more than a tenth of ` +
        `${formatMs(Math.max(found, rules))}, the ${found > rules ? 'effect' : 'rule'}`,
    ];
  }

  /** Equality is claimed only where the noise is known to be small, not where a few trials happen to look quiet. */
  private powerForEquality(power: Power | undefined): number | undefined {
    if (power === undefined) return undefined;
    const { from, spread, trials, margin } = power;
    const paired = this.design === 'paired runs';
    const largest = from === 'noise' ? spread : largestSpread(spread, trials, paired);
    return powerOf({ spread: largest, trials, margin, paired }, margin);
  }

  /** How many operations of the smaller side lie beyond the quantile; of other metrics, how many there are. */
  beyond(subject: Subject): number {
    const kind = kindOf(subject.metric);
    if (kind !== 'histogram') return Infinity;
    const total = Math.min(...this.units.map((units) => histogramOf(units.flat(), subject).total));
    const statistic = statisticOf(subject.metric);
    return typeof statistic === 'number' ? total * (1 - statistic) + 1e-9 : total;
  }

  shift(): readonly ShiftPoint[] {
    const subject: Subject = { metric: 'latency.p50', labels: {} };
    const [base, changed] = this.units;
    if (base.length === 0 || changed.length === 0) return [];
    const total = Math.min(...this.units.map((units) => histogramOf(units.flat(), subject).total));
    const shares = shiftShares.filter((share) => total * Math.min(share, 1 - share) >= 10);
    const effects = effectsOf(
      histogramFigures(base, subject, shares),
      histogramFigures(changed, subject, shares),
      shares.map(() => 'ratio'),
      this.designOf(() => this.between(subject)),
      SEED,
    );
    return effects.flatMap((effect, at) =>
      effect === undefined
        ? []
        : [
            {
              percentile: (shares[at] ?? 0) * 100,
              baseMs: effect.base,
              changedMs: effect.changed,
              ratio: Math.exp(effect.effect),
              low: Math.exp(effect.low),
              high: Math.exp(effect.high),
            },
          ],
    );
  }
}

/** From p1 to p99.9. */
const shiftShares: readonly number[] = [
  0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925,
  0.95, 0.97, 0.98, 0.985, 0.99, 0.995, 0.998, 0.999,
];

/** Blocks are drawn in place of others of the same stage of the same run. */
function strataOf({ runs }: Trials): readonly number[] {
  const numbers = new Map<string, number>();
  return runs.flatMap(({ blocks }, run) =>
    blocks.map(({ stage, trial }) => {
      const key = JSON.stringify([run, stage, trial]);
      const number = numbers.get(key) ?? numbers.size;
      numbers.set(key, number);
      return number;
    }),
  );
}

/** How much worse it must be, on the scale of the effect: by both parts of the rule, so by the larger. */
export function marginOf({ metric, worse, relative = 0, absolute = 0 }: RulePlan, base: number): number {
  if (scaleOf(metric) === 'difference') return Math.max(relative * base, absolute);
  const share = Math.max(relative, base > 0 ? absolute / base : 0);
  if (worse === 'higher') return Math.log1p(share);
  return share < 1 ? -Math.log1p(-share) : Infinity;
}

function changeOf(scale: Change['scale'], { base, changed, effect, low, high, p }: Effect): Change {
  const of = (value: number): number => (scale === 'ratio' ? Math.expm1(value) : value);
  return { scale, base, changed, change: of(effect), low: of(low), high: of(high), p };
}

function percentText(ratio: number): string {
  return `${(ratio * 100).toFixed(ratio < 0.1 ? 1 : 0)} %`;
}

/** Everything else that may be worth a look. */
export function explored(...sides: readonly Trials[]): readonly Subject[] {
  const all: readonly Statistic[] = [0.5, 0.9, 0.95, 0.99, 0.999, 'mean'];
  const few: readonly Statistic[] = [0.5, 0.95, 0.99];
  const named = (
    family: string,
    statistics: readonly Statistic[],
    labels: Subject['labels'] = {},
  ): readonly Subject[] => statistics.map((statistic) => ({ metric: `${family}.${nameOf(statistic)}`, labels }));
  const operations = new Map<string, { readonly profile: string; readonly operation: string }>();
  for (const { blocks } of sides.flatMap(({ runs }) => runs))
    for (const { cells } of blocks)
      for (const { profile, operation } of cells)
        if (operation !== undefined) operations.set(JSON.stringify([profile, operation]), { profile, operation });
  return [
    ...named('latency', all),
    ...named('service', few),
    ...named('connect', [0.5, 0.95]),
    ...['throughput', 'errors.rate', 'delivered'].map((metric) => ({ metric, labels: {} })),
    ...(operations.size < 2 ? [] : [...operations.values()].flatMap((labels) => named('latency', few, labels))),
  ];
}

/** `p999` of 0.999. */
function nameOf(statistic: Statistic): string {
  return typeof statistic === 'number' ? `p${String(statistic).slice(2).padEnd(2, '0')}` : statistic;
}

/** All latencies of a side merged: for its spectrum. */
export function spectrumOf({ runs }: Trials): HdrCounts {
  return histogramOf(
    runs.flatMap(({ blocks }) => blocks),
    { metric: 'latency.p50', labels: {} },
  );
}
