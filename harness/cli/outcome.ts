/** A finished run for scripts: its exit code and the output of `--json`. */
import { join } from 'node:path';
import type { Report } from '../report/schema.js';
import { artifacts } from '../report/write-report.js';
import { exitCode } from './exit-code.js';
import type { Outcome } from './library-types.js';
import type { ConductedRun } from './run-conductor.js';

/** @param inconclusive what an inconclusive rule of arms means */
export function outcomeOf(
  { finished, report }: ConductedRun,
  interrupted: boolean,
  inconclusive: 'pass' | 'fail',
): Outcome {
  const names = report === undefined ? [] : ['report.json', ...Object.keys(artifacts)];
  return {
    runId: finished.runId,
    exitCode: codeOf(report, interrupted, inconclusive),
    verdict: { kind: finished.verdict.kind, reasons: [...finished.verdict.reasons] },
    failure: finished.failure ?? null,
    problems: finished.problems,
    scenario: report?.run.scenario ?? null,
    notes: report?.notes ?? [],
    thresholds: report?.thresholds ?? [],
    ...(report?.arms === undefined ? {} : { arms: report.arms }),
    summary: report?.summary ?? null,
    folder: finished.folder,
    files: Object.fromEntries(names.map((name) => [name, join(finished.folder, name)])),
  };
}

function codeOf(report: Report | undefined, interrupted: boolean, inconclusive: 'pass' | 'fail'): number {
  if (interrupted) return exitCode.interrupted;
  if (report === undefined) return exitCode.internal;
  return worstExitCode([report.exitCode, codeOfArms(report.arms, inconclusive)]);
}

/** Rules that somebody has given decide, as in a comparison of runs. */
function codeOfArms(arms: Report['arms'], inconclusive: 'pass' | 'fail'): number {
  if (arms === undefined || arms.defaultRules) return exitCode.passed;
  const { rules } = arms;
  if (rules.some(({ answer }) => answer === 'regressed')) return exitCode.regressed;
  const isOpen = rules.some(({ answer, regressionExcluded }) => answer === 'inconclusive' && !regressionExcluded);
  return isOpen && inconclusive === 'fail' ? exitCode.inconclusive : exitCode.passed;
}

/** From the best to the worst: failures of the target count less than failures that keep us from judging it. */
const SEVERITY: readonly number[] = [
  exitCode.passed,
  exitCode.inconclusive,
  exitCode.regressed,
  exitCode.thresholds,
  exitCode.untrusted,
  exitCode.unreachable,
  exitCode.internal,
  exitCode.interrupted,
];

export function worstExitCode(codes: readonly number[]): number {
  return codes.reduce(
    (worst, code) => (SEVERITY.indexOf(code) > SEVERITY.indexOf(worst) ? code : worst),
    exitCode.passed,
  );
}
