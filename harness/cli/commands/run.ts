import { copyFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';

import { refusals } from '../../platform/local/local.js';
import { enoughWorkers } from '../../platform/swarm/platform/crew-size.js';
import { refusals as swarmRefusals } from '../../platform/swarm/platform/refusals.js';
import type { Plan } from '../../../scenarios/schema/index.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { outlineOf } from '../plan/outline.js';
import { renderBrief } from '../plan/render.js';
import { redactedCommand } from '../run/command-line.js';
import { createConductor, ensureWritable, type Conducted } from '../run/conductor.js';
import { outcomeOf, worstExitCode, type Outcome } from '../run/outcome.js';
import { renderVerdict } from '../run/verdict.js';
import { addRegistryAuth, DEFAULT_STACK } from '../swarm/stack-options.js';
import { styleFor, type Style } from '../terminal/style.js';
import type { CliCommand } from './command.js';
import { addLoadOptions, planOf, wholeNumber, type LoadOptions } from './load-options.js';

interface Options extends LoadOptions {
  readonly on: 'local' | 'swarm';
  readonly stack: string;
  readonly controller?: string;
  readonly tokenFile?: string;
  readonly withRegistryAuth?: boolean;
  readonly out: string;
  readonly workers?: number;
  readonly threads?: number;
  readonly label: Readonly<Record<string, string>>;
  readonly junit?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color: boolean;
}

export const run: CliCommand = {
  examples: [
    'swarmbench run',
    'swarmbench run baseline --target http://localhost:3000/mcp',
    'swarmbench run spike --set workload.normal.clients=50 --time-scale 0.1',
    "swarmbench run ci --config mcp.json --server mine --header 'Authorization: Bearer ${TOKEN}'",
    'swarmbench run ci --json --junit junit.xml > ci.json',
    'swarmbench run baseline --on swarm --set target.replicas=4',
  ],
  declare(command, host, finish) {
    command.argument('[scenario...]', 'names or files; several run one after another, the worst exit code counts', ['smoke']);
    addLoadOptions(command);
    addRegistryAuth(command)
      .addOption(new Option('--on <platform>', 'where to run').choices(['local', 'swarm']).default('local'))
      .option('--stack <name>', 'with --on swarm: which stack; it is deployed when it is not there', DEFAULT_STACK)
      .option('--controller <url>', 'a harness that is somewhere (`swarmbench serve`), in place of the stack\'s')
      .option('--token-file <file>', 'token of that harness (default: the one that `swarmbench up` made)')
      .option('--out <folder>', 'where results go', 'results')
      .option('--workers <n>', 'worker processes (default: 1; on a swarm: what the plan needs)', wholeNumber)
      .option('--threads <n>', 'engine threads of each worker (default: the cores the target leaves free)', wholeNumber)
      .option('--label <key=value>', 'kept in the report (repeatable)', collectLabel, {})
      .option('--junit <file>', 'copy of the JUnit report')
      .option('--json', 'one JSON object on stdout, nothing else')
      .option('-q, --quiet', 'no plan and no progress')
      .action(async (scenarios: readonly string[], options: Options) => {
        finish(await runScenarios(scenarios, options, host));
      });
  },
};

async function runScenarios(scenarios: readonly string[], options: Options, host: Host): Promise<number> {
  refuseImpossible(scenarios, options);
  // All of them first: a mistake in the last must not show after the others have run for an hour.
  const plans = scenarios.map((scenario) => planOf(scenario, options, host));
  const remote = options.on === 'swarm' || options.controller !== undefined;
  for (const plan of plans) refuse(plan, options);
  const resultsFolder = resolve(host.cwd, options.out);
  const quiet = options.quiet === true;
  const style = styleFor(host.stderr, host.env, options.color);
  const conductor = remote ? await remoteConductor(options, { resultsFolder, quiet, style }, host) : await localConductor(options, { resultsFolder, quiet, style }, host);
  const outcomes: Outcome[] = [];
  try {
    for (const [index, plan] of plans.entries()) {
      if (conductor.interrupted()) break;
      if (!quiet) host.stderr.write(`${renderBrief(outlineOf(plan, { workers: options.workers ?? (remote ? enoughWorkers(plan) : 1), refusals: [] }), style)}\n`);
      const conducted = await conductor.run(plan, scenarios[index] ?? '');
      outcomes.push(outcomeOf(conducted, conductor.interrupted()));
      tell(conducted, options, host);
    }
  } finally {
    await conductor.close();
  }
  const code = worstExitCode(outcomes.map((outcome) => outcome.exitCode));
  if (options.json === true) host.stdout.write(`${JSON.stringify(outcomes.length === 1 ? outcomes[0] : { exitCode: code, runs: outcomes }, undefined, 2)}\n`);
  return code;
}

/** Here or elsewhere: one run after the other. */
interface RunConductor {
  run(plan: Plan, scenario: string): Promise<Conducted>;
  readonly interrupted: () => boolean;
  close(): Promise<void>;
}

interface Shown {
  readonly resultsFolder: string;
  readonly quiet: boolean;
  /** Of stderr. */
  readonly style: Style;
}

async function localConductor({ threads, label: labels, workers = 1 }: Options, shown: Shown, host: Host): Promise<RunConductor> {
  const conductor = await createConductor({ host, threads, ...shown });
  return { ...conductor, run: (plan) => conductor.run(plan, { command: redactedCommand(host.args), labels, workers }) };
}

async function remoteConductor(options: Options, shown: Shown, host: Host): Promise<RunConductor> {
  const { stack, controller, tokenFile, withRegistryAuth = false, label: labels, workers } = options;
  ensureWritable(shown.resultsFolder);
  // The engine's client is much to read for a run on this machine.
  const [{ connectHarness }, { createRemoteConductor }, { runRequestOf }] = await Promise.all([
    import('../swarm-run/connect-harness.js'), import('../swarm-run/remote-conductor.js'), import('../swarm-run/run-request.js'),
  ]);
  const api = await connectHarness({ stack, controller, tokenFile, withRegistryAuth, ...shown }, host);
  const conductor = createRemoteConductor({ host, api, ...shown });
  const how = { command: redactedCommand(host.args), labels, workers };
  return { ...conductor, run: (plan, scenario) => conductor.run(plan, runRequestOf(scenario, options, plan, how)) };
}

function tell(conducted: Conducted, options: Options, host: Host): void {
  const { finished, report } = conducted;
  for (const problem of finished.problems) host.stderr.write(`error: ${problem}\n`);
  if (report === undefined) return;
  const shown = relative(host.cwd, join(finished.folder, 'report.html'));
  const reportFile = shown.startsWith('..') ? join(finished.folder, 'report.html') : shown;
  if (options.json !== true) host.stdout.write(renderVerdict({ report, reportFile, failure: finished.failure }, styleFor(host.stdout, host.env, options.color)));
  if (options.junit !== undefined) copyFileSync(join(finished.folder, 'junit.xml'), resolve(host.cwd, options.junit));
}

function refuseImpossible(scenarios: readonly string[], options: Options): void {
  if (options.threads !== undefined && (options.on === 'swarm' || options.controller !== undefined)) {
    throw new CliError({ code: 'USAGE', message: '--threads is for workers that are started here', hint: 'a worker of the stack has one engine thread for each core it may use' });
  }
  if (options.withRegistryAuth === true && (options.on !== 'swarm' || options.controller !== undefined)) {
    throw new CliError({ code: 'USAGE', message: '--with-registry-auth is for a stack that is deployed', hint: 'it goes with --on swarm, and without --controller' });
  }
  if (options.junit !== undefined && scenarios.length > 1) {
    throw new CliError({ code: 'USAGE', message: '--junit takes one scenario', hint: 'each run\'s folder has a junit.xml of its own' });
  }
}

/** What a harness elsewhere can do, it says itself. */
function refuse(plan: Plan, { on, controller }: Options): void {
  const refused = on === 'swarm' ? swarmRefusals(plan) : controller === undefined ? refusals(plan) : [];
  if (refused.length === 0) return;
  throw new CliError({ code: 'PLAN_REFUSED', message: `${plan.scenario}: the ${on} platform cannot do this plan`, where: refused.join('\n  '), exitCode: exitCode.usage });
}

function collectLabel(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Write it as key=value.');
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
}
