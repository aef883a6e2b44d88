/** A finished run for scripts: its exit code and the output of `--json`. */
import { join } from 'node:path';
import type { Report } from '../report/schema.js';
import { artifacts } from '../report/write-report.js';
import { exitCode } from './exit-code.js';
import type { Outcome } from './library-types.js';
import type { ConductedRun } from './run-conductor.js';

export function outcomeOf({ finished, report }: ConductedRun, interrupted: boolean): Outcome {
  const names = report === undefined ? [] : ['report.json', ...Object.keys(artifacts)];
  return {
    runId: finished.runId,
    exitCode: codeOf(report, interrupted),
    verdict: { kind: finished.verdict.kind, reasons: [...finished.verdict.reasons] },
    failure: finished.failure ?? null,
    problems: finished.problems,
    scenario: report?.run.scenario ?? null,
    notes: report?.notes ?? [],
    thresholds: report?.thresholds ?? [],
    summary: report?.summary ?? null,
    folder: finished.folder,
    files: Object.fromEntries(names.map((name) => [name, join(finished.folder, name)])),
  };
}

function codeOf(report: Report | undefined, interrupted: boolean): number {
  if (interrupted) return exitCode.interrupted;
  return report?.exitCode ?? exitCode.internal;
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
