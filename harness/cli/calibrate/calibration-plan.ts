/**
 * The plans of a calibration: a profile's own connections and operations against the sink, first flat out, then at a
 * rate.
 */
import {
  diskIo,
  formatProblems,
  loadPlan,
  type Plan,
  type ProfilePlan,
  type ScenarioIo,
} from '../../../scenarios/schema/index.js';
import { CliError } from '../cli-error.js';

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
