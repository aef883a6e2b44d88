import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseRate } from '../../../scenarios/schema/grammar/units.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { type Found, nextStep, outcomeOfRun, type SearchLimits } from '../../analysis/capacity/search.js';
import { runId } from '../../log/run-id.js';
import { packageVersion } from '../package-root.js';
import {
  type CapacityDocument,
  capacityDocument,
  conclude,
  type ProbeRecord,
  probeRecordOf,
} from '../../report/capacity/document.js';
import { renderCapacity } from '../../report/capacity/page.js';
import {
  addWhereOptions,
  chooseConductor,
  refuseImpossible,
  refusePlan,
  type WhereOptions,
} from '../choose-conductor.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { addLoadOptions, type LoadOptions, parseNumber, planOf, parseWholeNumber } from '../load-options.js';
import type { Conducted } from '../local/local-conductor.js';
import { redactedCommand } from '../redacted-command.js';
import { styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';

interface Options extends LoadOptions, WhereOptions {
  readonly from?: string;
  readonly most?: string;
  readonly precision: number;
  readonly confirm: number;
  readonly probes: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color: boolean;
}

export const capacity: CliCommand = {
  examples: [
    'swarmbench capacity',
    'swarmbench capacity --target http://localhost:3000/mcp --from 200/s',
    'swarmbench capacity mine.yaml --precision 0.1 --confirm 1 --time-scale 0.5',
    'swarmbench capacity --on swarm --set target.replicas=4',
  ],
  declare(command, host, finish) {
    command.argument('[scenario]', 'name or file; its thresholds say what a rate has to meet', 'capacity-search');
    addLoadOptions(command);
    addWhereOptions(command)
      .option('--from <rate>', "first rate, all clients together (default: the scenario's own)")
      .option('--most <rate>', 'no higher rate is tried (default: limits.rate)')
      .option('--precision <share>', 'how narrow the interval has to be', parseNumber, 0.05)
      .option('--confirm <n>', 'how often the best rate must be met again', parseWholeNumber, 2)
      .option('--probes <n>', 'most runs', parseWholeNumber, 30)
      .option('--json', 'capacity.json on stdout, nothing else')
      .option('-q, --quiet', 'no progress')
      .action(async (scenario: string, options: Options) => {
        finish(await findCapacity(scenario, options, host));
      });
  },
};

async function findCapacity(scenario: string, options: Options, host: Host): Promise<number> {
  refuseImpossible(options);
  const plan = planOf(scenario, options, host);
  refusePlan(plan, options);
  const limits = limitsOf(plan, options);
  const resultsFolder = resolve(host.cwd, options.out);
  const style = styleFor(host.stderr, host.env, options.color);
  const startedAt = new Date();
  const conductor = await chooseConductor(options, { resultsFolder, quiet: true, style }, host);
  const loadAt = (ratePerSecond: number): LoadOptions => ({
    ...options,
    set: [...options.set, ...setsFor(plan, ratePerSecond)],
  });
  let searched: Searched;
  try {
    searched = await searchCapacity({
      limits,
      planFor: (ratePerSecond) => planOf(scenario, loadAt(ratePerSecond), host),
      run: (planned, ratePerSecond) => conductor.run(planned, scenario, loadAt(ratePerSecond)),
      interrupted: conductor.interrupted,
      tell: (line) => void (options.quiet !== true && host.stderr.write(`${line}\n`)),
    });
  } finally {
    await conductor.close();
  }
  const id = `capacity-${runId(plan.scenario, startedAt.getTime())}`;
  const document = capacityDocument.parse({
    schemaVersion: 1,
    id,
    scenario: plan.scenario,
    version: packageVersion(),
    command: redactedCommand(host.args),
    seed: plan.seed,
    startedAt: startedAt.toISOString(),
    endedAt: new Date().toISOString(),
    thresholds: plan.thresholds.map(({ check }) => check.text),
    precision: limits.precision,
    confirmations: limits.confirmations,
    ...conclude(searched.probes, searched.found, plan.seed),
  } satisfies CapacityDocument);
  const folder = join(resultsFolder, id);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'capacity.json'), `${JSON.stringify(document, undefined, 1)}\n`);
  writeFileSync(join(folder, 'capacity.html'), renderCapacity(document));
  if (options.json === true) host.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  else host.stdout.write(`${words(document)}\nreport: ${relative(host.cwd, join(folder, 'capacity.html'))}\n`);
  return codeOf(document.capacity.end);
}

function limitsOf(plan: Plan, options: Options) {
  const own = rateOf(plan);
  const { precision, confirm, probes } = options;
  if (!(precision > 0 && precision <= 1))
    throw new CliError({
      code: 'USAGE',
      message: `--precision ${precision} is not a share above 0 and up to 1`,
      hint: '0.05 is 5 %',
    });
  const mostPerSecond = Math.min(
    rateGiven('--most', options.most) ?? plan.limits.ratePerSecond,
    plan.limits.ratePerSecond,
  );
  const fromPerSecond = rateGiven('--from', options.from) ?? own;
  if (fromPerSecond > mostPerSecond)
    throw new CliError({
      code: 'USAGE',
      message: `the first rate, ${fromPerSecond}/s, is above the highest allowed, ${mostPerSecond}/s`,
      hint: 'lower --from, or raise --most and limits.rate',
    });
  return { fromPerSecond, mostPerSecond, precision, confirmations: confirm, mostProbes: probes };
}

function rateGiven(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rate = parseRate(text);
  if (rate === undefined || rate <= 0)
    throw new CliError({ code: 'USAGE', message: `${option} ${text} is not a rate`, hint: 'such as 200/s' });
  return rate;
}

function words({ scenario, capacity: found, kneePerSecond, scalability }: CapacityDocument): string {
  const knee =
    kneePerSecond === null
      ? ''
      : `\nknee of the latency curve: ${Math.round(kneePerSecond).toLocaleString('en-US')}/s offered`;
  const fit =
    scalability === null
      ? ''
      : `\nUniversal Scalability Law: sigma ${scalability.sigma.toPrecision(2)}, kappa ${scalability.kappa.toPrecision(2)}, R² ${scalability.rSquared.toFixed(2)}${scalability.rSquared < 0.9 ? ' (fits badly)' : ''}`;
  return `capacity of ${scenario}: ${found.words}${knee}${fit}`;
}

function codeOf(end: CapacityDocument['capacity']['end']): number {
  switch (end) {
    case 'converged':
    case 'most':
      return exitCode.passed;
    case 'generator':
    case 'probes':
      return exitCode.untrusted;
    case 'nothing-met':
      return exitCode.thresholds;
    case 'interrupted':
      return exitCode.interrupted;
  }
}

/** Operations a second of a plan at full load. @throws CliError USAGE for a plan whose rate is not its own to set */
export function rateOf(plan: Plan): number {
  const closed = plan.profiles.filter(({ arrivals }) => arrivals.model === 'closed').map(({ name }) => name);
  if (closed.length > 0) {
    throw new CliError({
      code: 'USAGE',
      message: `${plan.scenario}: a capacity search sets rates, and ${closed.join(', ')} has none (thinkTime)`,
      hint: 'give it arrivals: { rate: 10/s }: a closed loop slows down with its target and never asks for too much',
    });
  }
  if (plan.thresholds.length === 0) {
    throw new CliError({
      code: 'USAGE',
      message: `${plan.scenario}: without thresholds every rate is met`,
      hint: 'say what a rate has to meet: thresholds: [latency.p99 < 100ms, errors.rate < 0.1%]',
    });
  }
  return plan.profiles.reduce(
    (sum, { clients, arrivals }) => sum + (arrivals.model === 'open' ? clients * arrivals.ratePerSecond : 0),
    0,
  );
}

/** Overrides that bring all profiles together to `ratePerSecond`, each keeping its share. */
export function setsFor(plan: Plan, ratePerSecond: number): readonly string[] {
  const factor = ratePerSecond / rateOf(plan);
  return plan.profiles.flatMap(({ name, arrivals }) =>
    arrivals.model === 'open' ? [`workload.${name}.arrivals.rate=${decimal(arrivals.ratePerSecond * factor)}/s`] : [],
  );
}

/** Without an exponent, which rates are not written with. */
function decimal(value: number): string {
  return value.toFixed(9).replace(/\.?0+$/, '');
}

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
