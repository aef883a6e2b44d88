/** Options, checks and wiring that `run` and `capacity` share: the platform of a run, and its conductor. */
import { type Command, Option } from 'commander';
import type { Plan } from '../../scenarios/schema/plan.js';
import { localRefusals } from '../platform/local/refusals.js';
import { swarmRefusals } from '../platform/swarm/refusals.js';
import { CliError } from './cli-error.js';
import { redactedCommand } from './command-line.js';
import { DEFAULT_STACK, RESULTS_FOLDER } from './defaults.js';
import { exitCode } from './exit-code.js';
import type { LoadOptions } from './load-options.js';
import { createLocalConductor } from './local/local-conductor.js';
import { collectPairs, parseWholeNumber } from './option-parsers.js';
import type { ConductorOptions, RunConductor } from './run-conductor.js';
import { ensureWritable } from './run-controller.js';
import { addRegistryAuth } from './stack/stack-options.js';

export interface PlatformOptions {
  readonly on: 'local' | 'swarm';
  readonly stack: string;
  readonly controller?: string;
  readonly tokenFile?: string;
  readonly controllerCa?: string;
  readonly withRegistryAuth?: boolean;
  readonly out: string;
  readonly workers?: number;
  readonly threads?: number;
  readonly label: Readonly<Record<string, string>>;
}

export function addPlatformOptions(command: Command): Command {
  return addRegistryAuth(command)
    .addOption(
      new Option('--on <platform>', 'run on this machine or on a Docker Swarm')
        .choices(['local', 'swarm'])
        .default('local'),
    )
    .option(
      '--stack <name>',
      'with --on swarm: name of the stack; it is deployed if it does not run yet',
      DEFAULT_STACK,
    )
    .option('--controller <url>', "URL of a running `swarmbench serve` to use instead of the stack's harness")
    .option('--token-file <file>', 'file with the token of that harness (default: the one `swarmbench up` created)')
    .option('--controller-ca <file>', 'trust the certificate authorities in this PEM file for an https harness')
    .option('--out <folder>', 'write results to this folder', RESULTS_FOLDER)
    .option('--workers <n>', 'number of worker processes (default: as many as the plan needs)', parseWholeNumber)
    .option(
      '--threads <n>',
      'engine threads per worker (default: one per core that the target leaves free)',
      parseWholeNumber,
    )
    .option('--label <key=value>', 'add a label to the report (repeatable)', collectPairs, {});
}

export function isRemote({ on, controller }: PlatformOptions): boolean {
  return on === 'swarm' || controller !== undefined;
}

/** @throws CliError USAGE for options that do not go together */
export function refuseImpossibleOptions(options: PlatformOptions): void {
  if (options.threads !== undefined && isRemote(options)) {
    throw new CliError({
      code: 'USAGE',
      message: '--threads applies only to workers on this machine',
      hint: 'a worker of the stack has one engine thread for each core it may use',
    });
  }
  if (options.withRegistryAuth === true && (options.on !== 'swarm' || options.controller !== undefined)) {
    throw new CliError({
      code: 'USAGE',
      message: '--with-registry-auth applies only when a stack is deployed',
      hint: 'use it with --on swarm and without --controller',
    });
  }
}

/** @throws CliError PLAN_REFUSED */
export function refusePlan(plan: Plan, options: PlatformOptions): void {
  const refusals = refusalsOf(plan, options);
  if (refusals.length === 0) return;
  throw new CliError({
    code: 'PLAN_REFUSED',
    message: `${plan.scenario}: the ${options.on} platform cannot run this plan`,
    where: refusals.join('\n  '),
    exitCode: exitCode.usage,
  });
}

function refusalsOf(plan: Plan, { on, controller, workers }: PlatformOptions): readonly string[] {
  if (on === 'swarm') return swarmRefusals(plan);
  // A harness elsewhere refuses by itself what it cannot run.
  return controller === undefined ? localRefusals(plan, workers) : [];
}

/** The source of a plan, from which a harness elsewhere makes it again. */
interface PlanSource {
  readonly scenario: string;
  readonly options: LoadOptions;
}

export function chooseConductor(
  options: PlatformOptions,
  conductorOptions: ConductorOptions,
): Promise<RunConductor<PlanSource>> {
  return isRemote(options) ? remoteConductor(options, conductorOptions) : localConductor(options, conductorOptions);
}

async function localConductor(
  { threads, label: labels, workers }: PlatformOptions,
  options: ConductorOptions,
): Promise<RunConductor<PlanSource>> {
  const conductor = await createLocalConductor({ ...options, threads });
  const command = redactedCommand(options.host.args);
  return {
    ...conductor,
    run: (plan) => conductor.run(plan, { command, labels, ...(workers === undefined ? {} : { workers }) }),
  };
}

async function remoteConductor(
  { stack, controller, tokenFile, controllerCa, withRegistryAuth = false, label: labels, workers }: PlatformOptions,
  options: ConductorOptions,
): Promise<RunConductor<PlanSource>> {
  ensureWritable(options.resultsFolder);
  // Loaded here, because the engine's client takes long to load and a run on this machine does without it.
  const [{ connectHarness }, { createRemoteConductor }, { buildRunRequest }] = await Promise.all([
    import('./remote/connect-harness.js'),
    import('./remote/remote-conductor.js'),
    import('./remote/build-run-request.js'),
  ]);
  const { host, quiet, style } = options;
  const api = await connectHarness(
    { stack, controller, tokenFile, controllerCa, withRegistryAuth, quiet, style },
    host,
  );
  const conductor = createRemoteConductor(api, options);
  const command = redactedCommand(host.args);
  return {
    ...conductor,
    run: (plan, { scenario, options: loadOptions }) =>
      conductor.run(plan, buildRunRequest(scenario, loadOptions, plan, { command, labels, workers })),
  };
}
