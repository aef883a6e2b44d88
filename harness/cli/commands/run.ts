import { copyFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { workersHere } from '../../platform/local/local-platform.js';
import { workersNeeded } from '../../platform/swarm/run-on-stack/worker-count.js';
import {
  addWhereOptions,
  chooseConductor,
  isRemote,
  refuseImpossible,
  refusePlan,
  type WhereOptions,
} from '../choose-conductor.js';
import { CliError } from '../cli-error.js';
import type { Host } from '../host.js';
import { addLoadOptions, type LoadOptions, planOf } from '../load-options.js';
import type { Conducted } from '../local/local-conductor.js';
import { type Outcome, outcomeOf, worstExitCode } from '../outcome.js';
import { outlineOf } from '../plan/outline.js';
import { renderBrief } from '../plan/render-outline.js';
import { renderVerdict } from '../terminal/render-verdict.js';
import { styleFor } from '../terminal/style.js';
import type { CliCommand } from './command.js';

interface Options extends LoadOptions, WhereOptions {
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
    command.argument('[scenario...]', 'names or files; several run one after another, the worst exit code counts', [
      'smoke',
    ]);
    addLoadOptions(command);
    addWhereOptions(command)
      .option('--junit <file>', 'copy of the JUnit report')
      .option('--json', 'one JSON object on stdout, nothing else')
      .option('-q, --quiet', 'no plan and no progress')
      .action(async (scenarios: readonly string[], options: Options) => {
        finish(await runScenarios(scenarios, options, host));
      });
  },
};

async function runScenarios(scenarios: readonly string[], options: Options, host: Host): Promise<number> {
  refuseImpossible(options);
  refuseManyReports(scenarios, options);
  // All of them first: a mistake in the last must not show after the others have run for an hour.
  const plans = scenarios.map((scenario) => planOf(scenario, options, host));
  const remote = isRemote(options);
  for (const plan of plans) refusePlan(plan, options);
  const resultsFolder = resolve(host.cwd, options.out);
  const quiet = options.quiet === true;
  const style = styleFor(host.stderr, host.env, options.color);
  const conductor = await chooseConductor(options, { resultsFolder, quiet, style }, host);
  const outcomes: Outcome[] = [];
  try {
    for (const [index, plan] of plans.entries()) {
      if (conductor.interrupted()) break;
      if (!quiet)
        host.stderr.write(
          `${renderBrief(outlineOf(plan, { ...(remote ? { workers: options.workers ?? workersNeeded(plan) } : workersHere(plan, options.workers)), refusals: [] }), style)}\n`,
        );
      const conducted = await conductor.run(plan, scenarios[index] ?? '', options);
      outcomes.push(outcomeOf(conducted, conductor.interrupted()));
      tell(conducted, options, host);
    }
  } finally {
    await conductor.close();
  }
  const code = worstExitCode(outcomes.map((outcome) => outcome.exitCode));
  if (options.json === true)
    host.stdout.write(
      `${JSON.stringify(outcomes.length === 1 ? outcomes[0] : { exitCode: code, runs: outcomes }, undefined, 2)}\n`,
    );
  return code;
}

function tell(conducted: Conducted, options: Options, host: Host): void {
  const { finished, report } = conducted;
  for (const problem of finished.problems) host.stderr.write(`error: ${problem}\n`);
  if (report === undefined) return;
  const shown = relative(host.cwd, join(finished.folder, 'report.html'));
  const reportFile = shown.startsWith('..') ? join(finished.folder, 'report.html') : shown;
  if (options.json !== true)
    host.stdout.write(
      renderVerdict({ report, reportFile, failure: finished.failure }, styleFor(host.stdout, host.env, options.color)),
    );
  if (options.junit !== undefined) copyFileSync(join(finished.folder, 'junit.xml'), resolve(host.cwd, options.junit));
}

function refuseManyReports(scenarios: readonly string[], options: Options): void {
  if (options.junit !== undefined && scenarios.length > 1) {
    throw new CliError({
      code: 'USAGE',
      message: '--junit takes one scenario',
      hint: "each run's folder has a junit.xml of its own",
    });
  }
}
