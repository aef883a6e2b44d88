/** What keeps runs of two sides from being compared, and what they differ in on purpose. */
import type { Trials } from '../analysis/compare/sides.js';
import { differencesOf, type Fact, settingOf } from '../report/setting.js';
import type { RunData } from './run-data.js';

export interface Side extends Trials {
  /** As it was named on the command line. */
  readonly name: string;
  readonly runs: readonly RunData[];
}

/** What makes a comparison of these sides meaningless, one sentence each. */
export function obstacles(base: Side, changed: Side): readonly string[] {
  const found: string[] = [];
  for (const { name, runs } of [base, changed])
    for (const { run, verdict, blocks, plan } of runs) {
      if (Array.isArray(plan.arms))
        found.push(`${name}: run ${run.id} has arms, which are compared within it: see its report`);
      if (verdict.kind === 'invalid' || verdict.kind === 'incomplete')
        found.push(`${name}: run ${run.id} is ${verdict.kind}${reason(verdict.reasons)}`);
      else if (blocks.length === 0) found.push(`${name}: run ${run.id} has no measured time to compare`);
    }
  const all = [...base.runs, ...changed.runs].map((run) => settingOf(run));
  const [first] = all;
  if (first === undefined) return found;
  const differences = all.flatMap(({ load, environment }) => [
    ...differencesOf(first.load, load),
    ...differencesOf(first.environment, environment),
  ]);
  return [...found, ...new Set(differences)];
}

function reason([first]: readonly string[]): string {
  return first === undefined ? '' : `: ${first}`;
}

/** What the sides differ in on purpose. */
export function subjectsOf(base: Side, changed: Side): readonly string[] {
  const of = ({ runs }: Side): readonly Fact[] => runs.flatMap((run) => settingOf(run).subject);
  return differencesOf(of(base), of(changed));
}
