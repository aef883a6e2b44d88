import type { Plan } from '../../../scenarios/schema/index.js';
import { outcomeOfRun } from '../../analysis/capacity/outcome.js';
import { type Found, nextStep, type SearchLimits } from '../../analysis/capacity/search.js';
import { type ProbeRecord, probeRecordOf } from '../../report/capacity/document.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import type { Conducted } from '../run/conductor.js';

export interface SearchOptions {
  readonly limits: SearchLimits;
  readonly planFor: (ratePerSecond: number) => Plan;
  readonly run: (plan: Plan, ratePerSecond: number) => Promise<Conducted>;
  readonly interrupted: () => boolean;
  /** Told before a run, and after it. */
  readonly tell: (line: string) => void;
}

export interface Searched {
  readonly found: Found | 'interrupted';
  readonly probes: readonly ProbeRecord[];
}

/** One run after another until the search is over. @throws CliError for a run that did not come to its end */
export async function searchCapacity({ limits, planFor, run, interrupted, tell }: SearchOptions): Promise<Searched> {
  const probes: ProbeRecord[] = [];
  for (;;) {
    if (interrupted()) return { found: 'interrupted', probes };
    const step = nextStep(
      probes.map(({ askedPerSecond, outcome }) => ({ ratePerSecond: askedPerSecond, outcome })),
      limits,
    );
    if (step.kind === 'done') return { found: step.found, probes };
    const { ratePerSecond, purpose } = step;
    tell(`run ${probes.length + 1}: ${ratePerSecond.toLocaleString('en-US')}/s (${purpose})`);
    const conducted = await run(planFor(ratePerSecond), ratePerSecond);
    if (interrupted()) return { found: 'interrupted', probes };
    const record = recordOf(conducted, ratePerSecond, purpose);
    probes.push(record);
    tell(
      `  ${record.outcome === 'met' ? 'met' : record.outcome === 'unmet' ? 'not met' : 'the generator was at its limit'}: ${Math.round(record.throughputPerSecond).toLocaleString('en-US')}/s succeeded, p99 ${record.p99Ms === null ? 'none' : `${record.p99Ms.toPrecision(3)} ms`}`,
    );
  }
}

function recordOf(
  { finished, report }: Conducted,
  ratePerSecond: number,
  purpose: ProbeRecord['purpose'],
): ProbeRecord {
  const outcome = report === undefined ? undefined : outcomeOfRun(report.verdict, report.thresholds);
  if (report === undefined || outcome === undefined) {
    throw new CliError({
      code: finished.failure?.code ?? 'RUN_INCOMPLETE',
      message: `the run at ${ratePerSecond}/s did not come to its end: ${finished.failure?.message ?? finished.verdict.reasons.join('; ')}`,
      where: finished.folder,
      hint: finished.failure?.hint ?? 'its report says more',
      exitCode: report?.exitCode ?? exitCode.untrusted,
    });
  }
  return probeRecordOf(report, ratePerSecond, purpose, outcome);
}
