import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseRate } from '../../../scenarios/schema/grammar/units.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import {
  type Found,
  nextStep,
  outcomeOfRun,
  type ProbeOutcome,
  type SearchLimits,
} from '../../analysis/capacity/search.js';
import { runId } from '../../log/run-id.js';
import {
  type CapacityDocument,
  capacityDocument,
  conclude,
  type ProbeRecord,
  probeRecordOf,
} from '../../report/capacity/document.js';
import { renderCapacity } from '../../report/capacity/page.js';
import {
  addPlatformOptions,
  chooseConductor,
  type PlatformOptions,
  refuseImpossibleOptions,
  refusePlan,
} from '../choose-conductor.js';
import { CliError } from '../cli-error.js';
import { redactedCommand } from '../command-line.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { addLoadOptions, type LoadOptions, planOf, refuseArms } from '../options/load-options.js';
import { parseNumber, parseWholeNumber } from '../options/option-parsers.js';
import { packageVersion } from '../package-root.js';
import type { ConductedRun } from '../run-conductor.js';
import { styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';

interface Options extends LoadOptions, PlatformOptions {
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
    'swarmbench capacity baseline --target http://localhost:3000/mcp --time-scale 0.1 --from 100/s',
    'swarmbench capacity mine.yaml --precision 0.1 --confirm 1 --time-scale 0.5',
    'swarmbench capacity --on swarm --set target.replicas=4',
  ],
  takesCommand: true,
  declare(command, host, finish) {
    command.argument(
      '[scenario]',
      'name of a scenario, or a file; a rate passes when it meets the thresholds of the scenario',
      'capacity-search',
    );
    addLoadOptions(command);
    addPlatformOptions(command)
      .option('--from <rate>', "first rate to try, all clients together (default: the scenario's own)")
      .option('--most <rate>', 'highest rate to try (default: limits.rate of the scenario)')
      .option(
        '--precision <share>',
        'how narrow the resulting interval must be, as a share of the rate',
        parseNumber,
        0.05,
      )
      .option('--confirm <n>', 'how often the best rate must pass again', parseWholeNumber, 2)
      .option('--probes <n>', 'maximum number of runs', parseWholeNumber, 30)
      .option('--json', 'print capacity.json on stdout and nothing else')
      .option('-q, --quiet', 'show no progress')
      .action(async (scenario: string, options: Options) => {
        finish(await findCapacity(scenario, options, host));
      });
  },
};

async function findCapacity(scenario: string, options: Options, host: Host): Promise<number> {
  refuseImpossibleOptions(options);
  const plan = planOf(scenario, options, host);
  refuseArms(plan, 'capacity');
  refusePlan(plan, options, host);
  const limits = limitsOf(plan, options);
  const resultsFolder = resolve(host.cwd, options.out);
  const startedAt = new Date();
  const style = styleFor(host.stderr, host.env, options.color);
  const conductor = await chooseConductor(options, { host, resultsFolder, quiet: true, style });
  const optionsAt = (ratePerSecond: number): LoadOptions => ({
    ...options,
    set: [...options.set, ...setsFor(plan, ratePerSecond)],
  });
  let searched: Searched;
  try {
    searched = await searchCapacity({
      limits,
      planFor: (ratePerSecond) => planOf(scenario, optionsAt(ratePerSecond), host),
      run: (planned, ratePerSecond) => conductor.run(planned, { scenario, options: optionsAt(ratePerSecond) }),
      interrupted: conductor.interrupted,
      onProgress: (line) => {
        if (options.quiet !== true) host.stderr.write(`${line}\n`);
      },
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
  if (options.json === true) {
    host.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  } else {
    const page = relative(host.cwd, join(folder, 'capacity.html'));
    host.stdout.write(`${[...summaryOf(document), `report: ${page}`].join('\n')}\n`);
  }
  return codeOf(document.capacity.end);
}

function limitsOf(plan: Plan, options: Options): SearchLimits {
  const { precision, confirm, probes } = options;
  const ownPerSecond = rateOf(plan);
  if (!(precision > 0 && precision <= 1)) {
    throw new CliError({
      code: 'USAGE',
      message: `--precision ${precision} is not between 0 and 1`,
      hint: '0.05 is 5 %',
    });
  }
  const limitPerSecond = plan.limits.ratePerSecond;
  const mostPerSecond = Math.min(rateGiven('--most', options.most) ?? limitPerSecond, limitPerSecond);
  const fromPerSecond = rateGiven('--from', options.from) ?? ownPerSecond;
  if (fromPerSecond > mostPerSecond) {
    throw new CliError({
      code: 'USAGE',
      message: `the first rate, ${fromPerSecond}/s, is above the highest allowed rate, ${mostPerSecond}/s`,
      hint: 'lower --from, or raise --most and limits.rate',
    });
  }
  return { fromPerSecond, mostPerSecond, precision, confirmations: confirm, mostProbes: probes };
}

function rateGiven(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const perSecond = parseRate(text);
  if (perSecond !== undefined && perSecond > 0) return perSecond;
  throw new CliError({
    code: 'USAGE',
    message: `${option}: \`${text}\` is not a rate`,
    hint: 'write it like 200/s',
  });
}

/** Operations per second of a plan at full load. @throws CliError USAGE when its rate cannot be searched for */
function rateOf(plan: Plan): number {
  const closed = plan.profiles.filter(({ arrivals }) => arrivals.model === 'closed').map(({ name }) => name);
  if (closed.length > 0) {
    throw new CliError({
      code: 'USAGE',
      message: `${plan.scenario}: a capacity search sets rates, and ${closed.join(', ')} has none (thinkTime)`,
      hint:
        'give it a rate, such as arrivals: { rate: 10/s }; clients that wait for each answer slow down with their ' +
        'target and never overload it',
    });
  }
  if (plan.thresholds.length === 0) {
    throw new CliError({
      code: 'USAGE',
      message: `${plan.scenario} has no thresholds, so every rate would pass`,
      hint: 'add what a rate must meet, such as thresholds: [latency.p99 < 100ms, errors.rate < 0.1%]',
    });
  }
  return plan.profiles.reduce(
    (sum, { clients, arrivals }) => sum + (arrivals.model === 'open' ? clients * arrivals.ratePerSecond : 0),
    0,
  );
}

/** Overrides with which all profiles together offer `ratePerSecond`; each keeps its share. */
function setsFor(plan: Plan, ratePerSecond: number): readonly string[] {
  const factor = ratePerSecond / rateOf(plan);
  return plan.profiles.flatMap(({ name, arrivals }) =>
    arrivals.model === 'open' ? [`workload.${name}.arrivals.rate=${decimal(arrivals.ratePerSecond * factor)}/s`] : [],
  );
}

/** Without an exponent: rates are not written with one. */
function decimal(value: number): string {
  return value.toFixed(9).replace(/\.?0+$/, '');
}

interface SearchOptions {
  readonly limits: SearchLimits;
  readonly planFor: (ratePerSecond: number) => Plan;
  readonly run: (plan: Plan, ratePerSecond: number) => Promise<ConductedRun>;
  readonly interrupted: () => boolean;
  /** Gets a line before each run and one after it. */
  readonly onProgress: (line: string) => void;
}

interface Searched {
  readonly found: Found | 'interrupted';
  readonly probes: readonly ProbeRecord[];
}

/** One run after another until the search is over. @throws CliError when a run could not be completed */
async function searchCapacity({ limits, planFor, run, interrupted, onProgress }: SearchOptions): Promise<Searched> {
  const probes: ProbeRecord[] = [];
  for (;;) {
    if (interrupted()) return { found: 'interrupted', probes };
    const step = nextStep(
      probes.map(({ askedPerSecond, outcome }) => ({ ratePerSecond: askedPerSecond, outcome })),
      limits,
    );
    if (step.kind === 'done') return { found: step.found, probes };
    const { ratePerSecond, purpose } = step;
    onProgress(`run ${probes.length + 1}: ${ratePerSecond.toLocaleString('en-US')}/s (${purpose})`);
    const conducted = await run(planFor(ratePerSecond), ratePerSecond);
    if (interrupted()) return { found: 'interrupted', probes };
    const probe = recordOf(conducted, ratePerSecond, purpose);
    probes.push(probe);
    onProgress(`  ${probeText(probe)}`);
  }
}

function recordOf(
  { finished, report }: ConductedRun,
  ratePerSecond: number,
  purpose: ProbeRecord['purpose'],
): ProbeRecord {
  const outcome = report === undefined ? undefined : outcomeOfRun(report.verdict);
  if (report !== undefined && outcome !== undefined) return probeRecordOf(report, ratePerSecond, purpose, outcome);
  const { failure, verdict, folder } = finished;
  throw new CliError({
    code: failure?.code ?? 'RUN_INCOMPLETE',
    message: `the run at ${ratePerSecond}/s was not completed: ${failure?.message ?? verdict.reasons.join('; ')}`,
    where: folder,
    hint: failure?.hint ?? 'see its report',
    exitCode: report?.exitCode ?? exitCode.untrusted,
  });
}

const OUTCOME_TEXTS: Readonly<Record<ProbeOutcome, string>> = {
  met: 'met',
  unmet: 'not met',
  generator: 'the load generator was at its limit',
};

function probeText({ outcome, throughputPerSecond, p99Ms }: ProbeRecord): string {
  const succeeded = `${Math.round(throughputPerSecond).toLocaleString('en-US')}/s succeeded`;
  return `${OUTCOME_TEXTS[outcome]}: ${succeeded}, p99 ${p99Ms === null ? 'none' : `${p99Ms.toPrecision(3)} ms`}`;
}

function summaryOf({ scenario, capacity: found, kneePerSecond, scalability }: CapacityDocument): readonly string[] {
  const lines = [`capacity of ${scenario}: ${found.words}`];
  if (kneePerSecond !== null)
    lines.push(`knee of the latency curve: ${Math.round(kneePerSecond).toLocaleString('en-US')}/s offered`);
  if (scalability !== null) {
    const { sigma, kappa, rSquared } = scalability;
    const fit = `R² ${rSquared.toFixed(2)}${rSquared < 0.9 ? ' (fits badly)' : ''}`;
    lines.push(`Universal Scalability Law: sigma ${sigma.toPrecision(2)}, kappa ${kappa.toPrecision(2)}, ${fit}`);
  }
  return lines;
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
