import { accessSync, constants, copyFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Plan } from '../../../scenarios/schema/plan.js';
import type { Side } from '../../compare/compare.js';
import type { ComparisonDocument } from '../../compare/document.js';
import { workersHere } from '../../platform/local/worker-count.js';
import { workersNeeded } from '../../platform/swarm/run-on-stack/worker-count.js';
import { messageOf } from '../../support/error-message.js';
import {
  addPlatformOptions,
  chooseConductor,
  isRemote,
  type PlatformOptions,
  refuseImpossibleOptions,
  refusePlan,
} from '../choose-conductor.js';
import { CliError } from '../cli-error.js';
import {
  addComparisonOptions,
  type ComparisonContext,
  type ComparisonOptions,
  compareAll,
  readSideOrFail,
  showComparison,
} from '../comparison.js';
import type { Host } from '../host.js';
import { addLoadOptions, type LoadOptions, namesServer, planOf } from '../load-options.js';
import { namesWorkers, workerCountOf } from '../named-workers.js';
import { parseWholeNumber } from '../option-parsers.js';
import { type Outcome, outcomeOf, worstExitCode } from '../outcome.js';
import { outlineOf } from '../plan/outline.js';
import { renderBrief } from '../plan/render-outline.js';
import type { ConductedRun } from '../run-conductor.js';
import { renderVerdict } from '../terminal/render-verdict.js';
import { styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';

interface Options extends LoadOptions, PlatformOptions, ComparisonOptions {
  readonly trials: number;
  readonly compare?: string;
  readonly junit?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color: boolean;
}

export const run: CliCommand = {
  examples: [
    'swarmbench run',
    'swarmbench run baseline --target http://localhost:3000/mcp',
    'swarmbench run baseline -- node server.js',
    'swarmbench run ci --target http://localhost:3000/mcp --tool search --arguments \'{ "query": "cats" }\'',
    'swarmbench run spike --set workload.normal.clients=50 --time-scale 0.1',
    "swarmbench run baseline --config mcp.json --server mine --header 'Authorization: Bearer ${TOKEN}'",
    'swarmbench run ci --json --junit junit.xml > ci.json',
    'swarmbench run baseline --target http://10.0.0.9:3000/mcp --workers http://10.0.0.5:8081,http://10.0.0.6:8081',
    'swarmbench run baseline --on swarm --set target.replicas=4',
    'swarmbench run ci --trials 6 --compare label:branch=main',
  ],
  takesCommand: true,
  declare(command, host, finish) {
    command.argument(
      '[scenario...]',
      'names of scenarios, or files; they run one after another, and the worst exit code counts ' +
        '(default: smoke, or baseline where a server is named)',
    );
    addLoadOptions(command);
    addPlatformOptions(command)
      .option('--trials <n>', 'run it so often, each time with a fresh target and fresh workers', parseWholeNumber, 1)
      .option('--compare <base>', 'compare the runs with these, as `swarmbench compare` names them');
    addComparisonOptions(command)
      .option('--junit <file>', 'copy the JUnit report to this file')
      .option('--json', 'print one JSON object on stdout and nothing else')
      .option('-q, --quiet', 'show neither plan nor progress')
      .action(async (named: readonly string[], options: Options) => {
        const scenarios = named.length > 0 ? named : [namesServer(options, host) ? 'baseline' : 'smoke'];
        finish(await runScenarios(scenarios, options, host));
      });
  },
};

async function runScenarios(scenarios: readonly string[], options: Options, host: Host): Promise<number> {
  refuseImpossibleOptions(options);
  refuseManyReports(scenarios, options);
  refuseUnwritableJunit(options, host);
  // All plans first: a mistake in the last must not show up after the others have run for an hour.
  const plans = scenarios.map((scenario) => planOf(scenario, options, host));
  for (const plan of plans) refusePlan(plan, options, host);
  const resultsFolder = resolve(host.cwd, options.out);
  const context = { host, results: resultsFolder };
  const base = options.compare === undefined ? undefined : await readSideOrFail(options.compare, context);
  const quiet = options.quiet === true;
  const style = styleFor(host.stderr, host.env, options.color);
  const conductor = await chooseConductor(options, { host, resultsFolder, quiet, style });
  const outcomes: Outcome[] = [];
  try {
    for (const [index, plan] of plans.flatMap((one, at) =>
      Array.from({ length: options.trials }, () => [at, one] as const),
    )) {
      if (conductor.interrupted()) break;
      if (!quiet) {
        const outline = outlineOf(plan, { ...workersOf(plan, options, host), refusals: [] });
        host.stderr.write(`${renderBrief(outline, style)}\n`);
      }
      const conducted = await conductor.run(plan, { scenario: scenarios[index] ?? '', options });
      outcomes.push(outcomeOf(conducted, conductor.interrupted()));
      showOutcome(conducted, options, host);
    }
  } finally {
    await conductor.close();
  }
  const comparison = base === undefined ? undefined : await compareWith(base, outcomes, options, context);
  const code = worstExitCode(
    [...outcomes, ...(comparison === undefined ? [] : [comparison])].map((one) => one.exitCode),
  );
  if (options.json === true) {
    const alone = outcomes.length === 1 && comparison === undefined;
    const all = { exitCode: code, runs: outcomes, ...(comparison === undefined ? {} : { comparison }) };
    host.stdout.write(`${JSON.stringify(alone ? outcomes[0] : all, undefined, 2)}\n`);
  } else if (comparison !== undefined) showComparison(comparison, context, options.color);
  return code;
}

/** @returns undefined when a run has no report, which is told already */
async function compareWith(
  base: Side,
  outcomes: readonly Outcome[],
  options: Options,
  context: ComparisonContext,
): Promise<ComparisonDocument | undefined> {
  if (outcomes.length === 0 || outcomes.some(({ summary }) => summary === null)) return undefined;
  const changed = await readSideOrFail(outcomes.map(({ folder }) => folder).join(','), context);
  return await compareAll(base, [{ ...changed, name: 'this run' }], options, context);
}

function refuseManyReports(scenarios: readonly string[], { junit, trials, compare }: Options): void {
  if (junit !== undefined && (scenarios.length > 1 || trials > 1))
    throw new CliError({
      code: 'USAGE',
      message: `--junit takes the report of ${trials > 1 ? 'one run' : 'one scenario'} only`,
      hint: 'every run has a junit.xml in its own folder',
    });
  if (compare !== undefined && scenarios.length > 1)
    throw new CliError({
      code: 'USAGE',
      message: '--compare compares the runs of one scenario only',
      hint: 'run the scenarios one by one, or compare their runs afterwards with `swarmbench compare`',
    });
}

/** Before the run: an hour later, its report would have nowhere to go. @throws CliError USAGE */
function refuseUnwritableJunit({ junit }: Options, host: Host): void {
  if (junit === undefined) return;
  const file = resolve(host.cwd, junit);
  const problem = unwritable(file);
  if (problem === undefined) return;
  throw new CliError({
    code: 'USAGE',
    message: `--junit: cannot write ${file}: ${problem}`,
    hint: 'name a file in a folder that exists and can be written to',
  });
}

function unwritable(file: string): string | undefined {
  try {
    const folder = dirname(file);
    if (!statSync(folder).isDirectory()) return `${folder} is not a folder`;
    const there = statSync(file, { throwIfNoEntry: false });
    if (there?.isDirectory()) return 'it is a folder';
    accessSync(there === undefined ? folder : file, constants.W_OK);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function workersOf(plan: Plan, options: Options, host: Host): { readonly workers: number; readonly why?: string } {
  const workers = workerCountOf(options, host);
  if (isRemote(options)) return { workers: workers ?? workersNeeded(plan) };
  return workers !== undefined && namesWorkers(options) ? { workers } : workersHere(plan, workers);
}

function showOutcome({ finished, report }: ConductedRun, options: Options, host: Host): void {
  for (const problem of finished.problems) host.stderr.write(`error: ${problem}\n`);
  if (report === undefined) return;
  if (options.json !== true) {
    const absolute = join(finished.folder, 'report.html');
    const shown = relative(host.cwd, absolute);
    const reportFile = shown.startsWith('..') ? absolute : shown;
    const style = styleFor(host.stdout, host.env, options.color);
    host.stdout.write(renderVerdict({ report, reportFile, failure: finished.failure }, style));
  }
  if (options.junit !== undefined) copyFileSync(join(finished.folder, 'junit.xml'), resolve(host.cwd, options.junit));
}
