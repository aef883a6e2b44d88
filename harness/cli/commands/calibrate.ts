import { renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { loadPlan } from '../../../scenarios/schema/load-plan.js';
import type { Plan, ProfilePlan } from '../../../scenarios/schema/plan.js';
import { diskIo, type ScenarioIo } from '../../../scenarios/schema/scenario-io.js';
import { formatProblems } from '../../../scenarios/yaml/problem.js';
import { type Calibration, readCalibration } from '../../report/calibration.js';
import type { Report } from '../../report/schema.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import { wholeNumber } from '../load-options.js';
import { createLocalConductor, type LocalConductor } from '../local/local-conductor.js';
import { redactedCommand } from '../redacted-command.js';
import { latency, rate } from '../terminal/quantity.js';
import { styleFor } from '../terminal/style.js';
import { table } from '../terminal/table.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly out: string;
  readonly seconds: number;
  readonly workers: number;
  readonly threads?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color: boolean;
}

interface Measured {
  readonly profile: string;
  readonly ceilingPerSecond: number;
  /** At `CHECKED_SHARE` of the ceiling; null when nothing was measured. */
  readonly latencyP99Ms: number | null;
  readonly lagP99Ms: number | null;
  readonly verdict: Report['verdict'];
}

/** Reports warn from this share on, so this is where the generator must still be on time. */
const CHECKED_SHARE = 0.8;

export const calibrate: CliCommand = {
  examples: [
    'swarmbench calibrate',
    'swarmbench calibrate message-bomber high-load',
    'swarmbench calibrate normal --seconds 30 --json',
  ],
  declare(command, host, finish) {
    command
      .argument('[profile...]', 'whose connections and operations to use', ['normal'])
      .option('--out <folder>', 'where results go; reports of runs in it know the ceiling', 'results')
      .option('--seconds <n>', 'length of each of the two measurements', wholeNumber, 8)
      .option('--workers <n>', 'worker processes', wholeNumber, 1)
      .option('--threads <n>', 'engine threads of each worker', wholeNumber)
      .option('--json', 'one JSON object on stdout')
      .option('-q, --quiet', 'no progress')
      .action(async (profiles: readonly string[], options: Options) => {
        const shapes = profiles.map(profileShape);
        const resultsFolder = resolve(host.cwd, options.out);
        const file = join(resultsFolder, 'calibration.json');
        const style = styleFor(host.stderr, host.env, options.color);
        const conductor = await createLocalConductor({
          host,
          resultsFolder,
          threads: options.threads,
          style,
          quiet: options.quiet === true,
        });
        const measured: Measured[] = [];
        try {
          for (const shape of shapes)
            measured.push(await measure(conductor, shape, options, redactedCommand(host.args)));
        } finally {
          await conductor.close();
        }
        const fresh = calibrationOf(measured, options.workers);
        writeCalibrationFile(file, mergeCalibration(await readCalibration(file), fresh));
        if (options.json === true)
          host.stdout.write(
            `${JSON.stringify({ file, checkedShare: CHECKED_SHARE, profiles: measured }, undefined, 2)}\n`,
          );
        else host.stdout.write(`${render(measured)}\nwritten: ${file}\n`);
        finish(exitCode.passed);
      });
  },
};

async function measure(
  conductor: LocalConductor,
  shape: ReturnType<typeof profileShape>,
  { seconds, workers }: Options,
  command: string,
): Promise<Measured> {
  const how = { command, workers };
  const flatOut = reportOf(await conductor.run(flatOutPlan(shape, seconds), how));
  const ceilingPerSecond = flatOut.summary.throughputPerSecond ?? 0;
  if (ceilingPerSecond <= 0) throw notCalibrated(flatOut);
  const busy = reportOf(await conductor.run(atRatePlan(shape, CHECKED_SHARE * ceilingPerSecond, seconds), how));
  const { latencyMs, lagMs } = busy.summary;
  return {
    profile: shape.name,
    ceilingPerSecond,
    latencyP99Ms: latencyMs.p99,
    lagP99Ms: lagMs.p99,
    verdict: busy.verdict,
  };
}

function reportOf({ finished, report }: Awaited<ReturnType<LocalConductor['run']>>): Report {
  if (finished.stopped === 'interrupt')
    throw new CliError({
      code: 'INTERRUPTED',
      message: 'interrupted: no calibration was written',
      exitCode: exitCode.interrupted,
    });
  if (report === undefined)
    throw new CliError({ code: 'INTERNAL', message: finished.problems.join('; '), exitCode: exitCode.internal });
  return report;
}

function notCalibrated({ verdict, run }: Report): CliError {
  return new CliError({
    code: 'NOT_CALIBRATED',
    message: `nothing was measured (run ${run.id})`,
    where: verdict.reasons.join('\n  '),
    exitCode: exitCode.untrusted,
  });
}

function calibrationOf(measured: readonly Measured[], workers: number): Calibration {
  return {
    schemaVersion: 1,
    at: new Date().toISOString(),
    host: hostname(),
    workers,
    profiles: measured.map(({ profile, ceilingPerSecond, latencyP99Ms }) => ({
      profile,
      ceilingPerSecond,
      ...(latencyP99Ms === null ? {} : { latencyP99Ms }),
    })),
  };
}

function render(measured: readonly Measured[]): string {
  const of = (ms: number | null): string => (ms === null ? '–' : latency(ms));
  const busy = `at ${CHECKED_SHARE * 100} % of it`;
  return [
    ...table(
      [
        ['profile', 'ceiling', `lag p99 ${busy}`, `latency p99 ${busy}`],
        ...measured.map(({ profile, ceilingPerSecond, lagP99Ms, latencyP99Ms }) => [
          profile,
          rate(ceilingPerSecond),
          of(lagP99Ms),
          of(latencyP99Ms),
        ]),
      ],
      [1, 2, 3],
    ),
    ...measured
      .filter(({ verdict }) => verdict.kind !== 'passed')
      .flatMap(({ profile, verdict }) => [
        '',
        `${profile}: the generator was not fit ${busy}; calibrate again where nothing else needs the processor`,
        ...verdict.reasons.map((reason) => `  ${reason}`),
      ]),
  ].join('\n');
}

/**
 * New figures replace the old ones of the same profiles; another host's or another number of workers' are all replaced.
 */
function mergeCalibration(known: Calibration | undefined, fresh: Calibration): Calibration {
  const same = known !== undefined && known.host === fresh.host && known.workers === fresh.workers;
  const kept = same
    ? known.profiles.filter(({ profile }) => fresh.profiles.every((one) => one.profile !== profile))
    : [];
  return { ...fresh, profiles: [...kept, ...fresh.profiles] };
}

function writeCalibrationFile(file: string, value: Calibration): void {
  writeFileSync(`${file}.part`, `${JSON.stringify(value, undefined, 2)}\n`);
  renameSync(`${file}.part`, file);
}

/**
 * The plans of a calibration: a profile's own connections and operations against the sink, first flat out, then at a
 * rate.
 */

const FILE = 'calibration.yaml';

/** The profile as it is; its shape decides the others. @throws CliError when there is no such profile */
export function profileShape(profile: string): ProfilePlan {
  const [shape] = planFor(profile, {}, 1).profiles;
  if (shape === undefined) throw new Error(`the plan for ${profile} has no profile`);
  if (Object.keys(shape.misbehave).length > 0) {
    throw new CliError({
      code: 'NOT_CALIBRATABLE',
      message: `${profile} misbehaves on purpose (misbehave), so what it reaches is no ceiling`,
      hint: 'calibrate a profile that behaves',
    });
  }
  return shape;
}

/** Closed loop without think time: every connection is always busy, so the throughput is the most this shape can do. */
export function flatOutPlan({ name, maxInFlight, connections }: ProfilePlan, seconds: number): Plan {
  return planFor(name, { thinkTime: '0ms', maxInFlight, connections }, seconds);
}

/** Open loop at a share of the ceiling: how late does this machine send when it is that busy? */
export function atRatePlan(
  { name, clients, maxInFlight, connections }: ProfilePlan,
  ratePerSecond: number,
  seconds: number,
): Plan {
  return planFor(
    name,
    { arrivals: { rate: `${(ratePerSecond / clients).toFixed(3)}/s` }, maxInFlight, connections },
    seconds,
  );
}

function planFor(profile: string, overrides: Readonly<Record<string, unknown>>, seconds: number): Plan {
  const scenario = {
    name: 'calibration',
    description: `How much of profile ${profile} this machine can make: against the sink.`,
    target: { server: 'sink' },
    workload: { [profile]: overrides },
    limits: { clients: 1_000_000, rate: '100000000/s' },
    stages: [
      { name: 'warm-up', duration: '2s', measured: false },
      { name: 'measured', duration: `${seconds}s` },
    ],
  };
  // JSON is YAML, so the scenario needs no file.
  const io: ScenarioIo = {
    ...diskIo,
    readText: (file) => (file === FILE ? JSON.stringify(scenario) : diskIo.readText(file)),
  };
  const result = loadPlan({ scenario: FILE, env: {} }, io);
  if (result.ok) return result.plan;
  throw new CliError({
    code: result.problems[0]?.code ?? 'INVALID_VALUE',
    message: `profile ${profile} cannot be calibrated`,
    where: formatProblems(result.problems).replaceAll('\n', '\n  '),
    hint: '`swarmbench list` shows the profiles',
  });
}
