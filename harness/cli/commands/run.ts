import { accessSync, constants, copyFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plan } from '../../../scenarios/schema/plan.js';
import type { Suite } from '../../../scenarios/schema/suite.js';
import type { Side } from '../../compare/compare.js';
import type { ComparisonDocument } from '../../compare/document.js';
import type { SuiteDocument, SuiteRow } from '../../overview/suite-document.js';
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
  writtenRules,
} from '../comparison.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import type { Outcome, SuiteOutcome } from '../library-types.js';
import { namesWorkers, workerCountOf } from '../named-workers.js';
import { addLoadOptions, type LoadOptions, namesServer, refuseArms } from '../options/load-options.js';
import { collectValues, parseWholeNumber } from '../options/option-parsers.js';
import { outcomeOf, worstExitCode } from '../outcome.js';
import { outlineOf } from '../plan/outline.js';
import { renderBrief } from '../plan/render-outline.js';
import type { ConductedRun } from '../run-conductor.js';
import { plannedRow, plannedSteps, SUITE_FILES, SuiteRecord, suiteOf } from '../suite.js';
import { latency, rate } from '../terminal/quantity.js';
import { renderVerdict } from '../terminal/render-verdict.js';
import { styleFor } from '../terminal/style.js';
import { table } from '../terminal/table.js';
import type { CliCommand } from './command.js';

interface Options extends LoadOptions, PlatformOptions, ComparisonOptions {
  readonly trials: number;
  readonly matrix: readonly string[];
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
    'swarmbench run baseline --arm direct=http://localhost:3000/mcp --arm gateway=http://localhost:8080/mcp',
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
      .option(
        '--matrix <axis=values>',
        'run it for each of these values, e.g. replicas=1,2,4 or a path as for --set (repeatable)',
        collectValues,
        [],
      )
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

async function runScenarios(scenarios: readonly string[], given: Options, host: Host): Promise<number> {
  refuseImpossibleOptions(given);
  const options = withRules(given, host);
  refuseUnwritableJunit(options, host);
  const suite = suiteOf(scenarios, options.matrix);
  refuseManySteps(suite, options);
  const steps = plannedSteps(suite, options, host);
  for (const { plan } of steps) refusePlan(plan, options, host);
  if (options.compare !== undefined) for (const { plan } of steps) refuseArms(plan, 'run --compare');
  const resultsFolder = resolve(host.cwd, options.out);
  const context = { host, results: resultsFolder };
  const base = options.compare === undefined ? undefined : await readSideOrFail(options.compare, context);
  const quiet = options.quiet === true;
  const style = styleFor(host.stderr, host.env, options.color);
  const conductor = await chooseConductor(options, { host, resultsFolder, quiet, style });
  const { trials } = options;
  const runs = steps.flatMap((planned) => Array.from({ length: trials }, (_, at) => ({ planned, trial: at + 1 })));
  const record = runs.length > 1 ? new SuiteRecord(suite, resultsFolder, host) : undefined;
  const outcomes: Outcome[] = [];
  let stopped: string | undefined;
  try {
    for (const [index, { planned, trial }] of runs.entries()) {
      const { step, plan, options: stepOptions } = planned;
      const row = plannedRow(planned, trial, trials);
      if (index > 0 && stopped === undefined) await pause(step.pauseMs, conductor.interrupted);
      if (conductor.interrupted()) stopped ??= 'the suite was interrupted';
      if (stopped !== undefined) {
        record?.skip(row, stopped);
        continue;
      }
      if (!quiet) {
        if (record !== undefined) host.stderr.write(`run ${index + 1} of ${runs.length}: ${row.title}\n`);
        const outline = outlineOf(plan, { ...workersOf(plan, options, host), refusals: [] });
        host.stderr.write(`${renderBrief(outline, style)}\n`);
      }
      const conducted = await conductor.run(plan, { scenario: step.scenario, options: stepOptions });
      const outcome = outcomeOf(conducted, conductor.interrupted(), options.inconclusive);
      outcomes.push(outcome);
      record?.add(row, conducted);
      showOutcome(conducted, options, host);
      if (record === undefined) copyJunit(conducted.finished.folder, conducted.report !== undefined, options, host);
      if (outcome.exitCode !== exitCode.passed && step.stopsAfterFailure) stopped = `${row.title} failed before it`;
    }
  } finally {
    await conductor.close();
  }
  const comparison = base === undefined ? undefined : await compareWith(base, outcomes, options, context);
  const code = worstExitCode(
    [...outcomes, ...(comparison === undefined ? [] : [comparison])].map((one) => one.exitCode),
  );
  const written = record?.write(worstExitCode(outcomes.map((one) => one.exitCode)));
  if (record !== undefined) copyJunit(record.folder, true, options, host);
  if (options.json === true) {
    const alone = outcomes.length === 1 && comparison === undefined && record === undefined;
    const all = {
      exitCode: code,
      runs: outcomes,
      ...(record === undefined || written === undefined ? {} : { suite: suiteOutcome(record, written) }),
      ...(comparison === undefined ? {} : { comparison }),
    };
    host.stdout.write(`${JSON.stringify(alone ? outcomes[0] : all, undefined, 2)}\n`);
    return code;
  }
  if (record !== undefined && written !== undefined) showSuite(record, written, options, host);
  if (comparison !== undefined) showComparison(comparison, context, options.color);
  return code;
}

const PAUSE_STEP_MS = 200;

/** Ends early when the user interrupts it. */
async function pause(milliseconds: number, interrupted: () => boolean): Promise<void> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end && !interrupted()) await sleep(Math.min(PAUSE_STEP_MS, end - performance.now()));
}

function suiteOutcome({ folder }: SuiteRecord, { verdict }: SuiteDocument): SuiteOutcome {
  return { verdict, folder, files: Object.fromEntries(SUITE_FILES.map((name) => [name, join(folder, name)])) };
}

function showSuite(record: SuiteRecord, { verdict, name, rows }: SuiteDocument, { color }: Options, host: Host): void {
  const style = styleFor(host.stdout, host.env, color);
  const lines = table(rows.map((row) => [`  ${row.title}`, row.verdict, figuresText(row)]));
  const page = shownFile(join(record.folder, 'index.html'), host);
  host.stdout.write(`\n${lines.join('\n')}\n${style.bold(name)}: ${style.bold(verdict)}\nsuite: ${page}\n`);
}

function figuresText({ figures }: SuiteRow): string {
  if (figures === null || figures.offered === 0) return '';
  const { throughputPerSecond, latencyMs } = figures;
  const times = Object.entries(latencyMs).map(([name, ms]) => `${name} ${ms === null ? '–' : latency(ms)}`);
  return [throughputPerSecond === null ? '–' : rate(throughputPerSecond), ...times].join(', ');
}

/** With `--compare`, the rules are those of the comparison; otherwise those of the arms within a run. */
function withRules(options: Options, host: Host): Options {
  const rules = options.compare === undefined ? writtenRules(options, host) : [];
  return rules.length === 0 ? options : { ...options, set: [...options.set, `compare=${JSON.stringify(rules)}`] };
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

function refuseManySteps({ steps }: Suite, { compare }: Options): void {
  if (compare !== undefined && steps.length > 1)
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
  if (report === undefined || options.json === true) return;
  const reportFile = shownFile(join(finished.folder, 'report.html'), host);
  const style = styleFor(host.stdout, host.env, options.color);
  host.stdout.write(renderVerdict({ report, reportFile, failure: finished.failure }, style));
}

/** Relative where it is below the current folder. */
function shownFile(absolute: string, { cwd }: Host): string {
  const shown = relative(cwd, absolute);
  return shown.startsWith('..') ? absolute : shown;
}

/** Of the one run, or of the suite. */
function copyJunit(folder: string, isThere: boolean, { junit }: Options, host: Host): void {
  if (junit !== undefined && isThere) copyFileSync(join(folder, 'junit.xml'), resolve(host.cwd, junit));
}
