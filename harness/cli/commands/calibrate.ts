import { renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { Argument } from 'commander';
import { loadPlan } from '../../../scenarios/schema/load-plan.js';
import type { Plan, ProfilePlan } from '../../../scenarios/schema/plan.js';
import { diskIo, type ScenarioIo } from '../../../scenarios/schema/scenario-io.js';
import { formatProblems } from '../../../scenarios/yaml/problem.js';
import { type Calibration, readCalibration } from '../../report/calibration.js';
import type { Report } from '../../report/schema.js';
import { CliError } from '../cli-error.js';
import { redactedCommand } from '../command-line.js';
import { RESULTS_FOLDER } from '../defaults.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { createLocalConductor, type LocalConductor } from '../local/local-conductor.js';
import { parseWholeNumber } from '../options/option-parsers.js';
import type { ConductedRun } from '../run-conductor.js';
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

/** Reports warn from this share of the ceiling on, so the generator must still be on time there. */
const CHECKED_SHARE = 0.8;

export const calibrate: CliCommand = {
  examples: [
    'swarmbench calibrate',
    'swarmbench calibrate message-bomber high-load',
    'swarmbench calibrate normal --seconds 30 --json',
  ],
  declare(command, host, finish) {
    command
      .addArgument(
        new Argument(
          '[profile...]',
          'client profiles to measure, each with its own connections and operations',
        ).default(['normal'], 'normal'),
      )
      .option('--out <folder>', 'write results to this folder; reports in it will mention the ceiling', RESULTS_FOLDER)
      .option('--seconds <n>', 'duration of each of the two measurements of a profile', parseWholeNumber, 8)
      .option('--workers <n>', 'number of worker processes', parseWholeNumber, 1)
      .option('--threads <n>', 'engine threads per worker', parseWholeNumber)
      .option('--json', 'print one JSON object on stdout')
      .option('-q, --quiet', 'show no progress')
      .action(async (profiles: readonly string[], options: Options) => {
        const shapes = profiles.map(profileShape);
        const resultsFolder = resolve(host.cwd, options.out);
        const measured = await measureAll(shapes, resultsFolder, options, host);
        const file = join(resultsFolder, 'calibration.json');
        const merged = mergeCalibration(await readCalibration(file), calibrationOf(measured, options.workers));
        writeCalibrationFile(file, merged);
        if (options.json === true) {
          const printed = { file, checkedShare: CHECKED_SHARE, profiles: measured };
          host.stdout.write(`${JSON.stringify(printed, undefined, 2)}\n`);
        } else {
          host.stdout.write(`${render(measured)}\nwritten: ${file}\n`);
        }
        finish(exitCode.passed);
      });
  },
};

async function measureAll(
  shapes: readonly ProfilePlan[],
  resultsFolder: string,
  options: Options,
  host: Host,
): Promise<readonly Measured[]> {
  const style = styleFor(host.stderr, host.env, options.color);
  const quiet = options.quiet === true;
  const conductor = await createLocalConductor({ host, resultsFolder, threads: options.threads, style, quiet });
  const measured: Measured[] = [];
  try {
    for (const shape of shapes) measured.push(await measure(conductor, shape, options, redactedCommand(host.args)));
  } finally {
    await conductor.close();
  }
  return measured;
}

async function measure(
  conductor: LocalConductor,
  shape: ProfilePlan,
  { seconds, workers }: Options,
  command: string,
): Promise<Measured> {
  const submitOptions = { command, workers };
  const flatOut = reportOf(await conductor.run(flatOutPlan(shape, seconds), submitOptions));
  const ceilingPerSecond = flatOut.summary.throughputPerSecond ?? 0;
  if (ceilingPerSecond <= 0) throw notCalibrated(flatOut);
  const checked = atRatePlan(shape, CHECKED_SHARE * ceilingPerSecond, seconds);
  const { summary, verdict } = reportOf(await conductor.run(checked, submitOptions));
  return {
    profile: shape.name,
    ceilingPerSecond,
    latencyP99Ms: summary.latencyMs.p99,
    lagP99Ms: summary.lagMs.p99,
    verdict,
  };
}

function reportOf({ finished, report }: ConductedRun): Report {
  if (finished.stopped === 'interrupt') {
    throw new CliError({
      code: 'INTERRUPTED',
      message: 'interrupted: no calibration was written',
      exitCode: exitCode.interrupted,
    });
  }
  if (report !== undefined) return report;
  throw new CliError({ code: 'INTERNAL', message: finished.problems.join('; '), exitCode: exitCode.internal });
}

function notCalibrated({ verdict, run }: Report): CliError {
  return new CliError({
    code: 'NOT_CALIBRATED',
    message: `nothing was measured in run ${run.id}`,
    where: verdict.reasons.join('\n  '),
    exitCode: exitCode.untrusted,
  });
}

function render(measured: readonly Measured[]): string {
  const p99 = (ms: number | null): string => (ms === null ? '–' : latency(ms));
  const checked = `at ${CHECKED_SHARE * 100} % of it`;
  const rows = measured.map(({ profile, ceilingPerSecond, lagP99Ms, latencyP99Ms }) => [
    profile,
    rate(ceilingPerSecond),
    p99(lagP99Ms),
    p99(latencyP99Ms),
  ]);
  const unfit = measured.filter(({ verdict }) => verdict.kind !== 'passed');
  return [
    ...table([['profile', 'ceiling', `lag p99 ${checked}`, `latency p99 ${checked}`], ...rows], [1, 2, 3]),
    ...unfit.flatMap(({ profile, verdict }) => [
      '',
      `${profile}: the generator did not keep up ${checked}; calibrate again while nothing else uses the processor`,
      ...verdict.reasons.map((reason) => `  ${reason}`),
    ]),
  ].join('\n');
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

/** Keeps the known figures of other profiles if host and number of workers are the same. */
function mergeCalibration(known: Calibration | undefined, fresh: Calibration): Calibration {
  const isComparable = known !== undefined && known.host === fresh.host && known.workers === fresh.workers;
  const kept = isComparable
    ? known.profiles.filter(({ profile }) => fresh.profiles.every((one) => one.profile !== profile))
    : [];
  return { ...fresh, profiles: [...kept, ...fresh.profiles] };
}

function writeCalibrationFile(file: string, value: Calibration): void {
  writeFileSync(`${file}.part`, `${JSON.stringify(value, undefined, 2)}\n`);
  renameSync(`${file}.part`, file);
}

// The plans: the profile's own connections and operations against the sink, first flat out, then at a rate.

const SCENARIO_FILE = 'calibration.yaml';

/** The profile as it is, from which both plans are made. @throws CliError when there is no such profile */
function profileShape(profile: string): ProfilePlan {
  const [shape] = planFor(profile, {}, 1).profiles;
  if (shape === undefined) throw new Error(`the plan for ${profile} has no profile`);
  if (Object.keys(shape.misbehave).length > 0) {
    throw new CliError({
      code: 'NOT_CALIBRATABLE',
      message: `${profile} misbehaves on purpose (misbehave), so its throughput is not a ceiling`,
      hint: 'calibrate a profile that behaves well',
    });
  }
  return shape;
}

/** Closed loop without think time: every connection is always busy, so this is the most that a profile can do here. */
function flatOutPlan({ name, maxInFlight, connections }: ProfilePlan, seconds: number): Plan {
  return planFor(name, { thinkTime: '0ms', maxInFlight, connections }, seconds);
}

/** Open loop at a share of the ceiling: how late does this machine send when it is that busy? */
function atRatePlan(
  { name, clients, maxInFlight, connections }: ProfilePlan,
  ratePerSecond: number,
  seconds: number,
): Plan {
  const arrivals = { rate: `${(ratePerSecond / clients).toFixed(3)}/s` };
  return planFor(name, { arrivals, maxInFlight, connections }, seconds);
}

function planFor(profile: string, overrides: Readonly<Record<string, unknown>>, seconds: number): Plan {
  const scenario = {
    name: 'calibration',
    description: `How much load of profile ${profile} this machine can generate, measured against the sink.`,
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
    readText: (file) => (file === SCENARIO_FILE ? JSON.stringify(scenario) : diskIo.readText(file)),
  };
  const result = loadPlan({ scenario: SCENARIO_FILE, env: {} }, io);
  if (result.ok) return result.plan;
  throw new CliError({
    code: result.problems[0]?.code ?? 'INVALID_VALUE',
    message: `profile ${profile} cannot be calibrated`,
    where: formatProblems(result.problems).replaceAll('\n', '\n  '),
    hint: '`swarmbench list` shows the profiles',
  });
}
