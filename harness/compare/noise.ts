/** How much the figures of runs of the same target differ: what `swarmbench noise` stores. */
import type { RulePlan } from '../../scenarios/schema/plan.js';
import { figuresOf, type Subject, scaleOf } from '../analysis/compare/figures-of.js';
import { explored, textOf } from '../analysis/compare/sides.js';
import { deviation } from '../analysis/statistics/effects.js';
import { ofEach } from '../analysis/statistics/figures.js';
import type { NoiseEntry } from '../report/noise.js';
import { fingerprintOf, settingOf } from '../report/setting.js';
import type { Side } from './compare.js';

/** Precondition: at least two runs, which could be compared with each other. @param at ISO 8601 */
export function noiseOfRuns(side: Side, rules: readonly RulePlan[], at: string): NoiseEntry {
  const { runs } = side;
  const [first] = runs;
  if (first === undefined) throw new RangeError('noise of no runs');
  const setting = settingOf(first);
  const subjects: readonly Subject[] = [...rules, ...explored(side)];
  return {
    scenario: first.run.scenario,
    fingerprint: fingerprintOf(setting),
    facts: [...setting.load, ...setting.environment].map(([name, value]) => [name, value]),
    measuredAt: at,
    trials: runs.length,
    runs: runs.map(({ run }) => run.id),
    spreads: Object.fromEntries(
      subjects.flatMap((subject) => {
        const spread = spreadOf(side, subject);
        return spread === undefined ? [] : [[textOf(subject), spread] as const];
      }),
    ),
  };
}

function spreadOf({ runs }: Side, subject: Subject): NoiseEntry['spreads'][string] | undefined {
  const scale = scaleOf(subject.metric);
  const values = ofEach(
    figuresOf(
      runs.map(({ blocks }) => blocks),
      subject,
    ),
  ).map(([value]) => value ?? Number.NaN);
  const scaled = values.map((value) => (scale === 'ratio' ? Math.log(value) : value));
  return scaled.every(Number.isFinite) ? { scale, deviation: deviation(scaled), values } : undefined;
}
