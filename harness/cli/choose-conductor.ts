/** Options, checks and wiring that `run` and `capacity` share: the platform of a run, and its conductor. */
import { type Command, Option } from 'commander';
import type { Plan } from '../../scenarios/schema/plan.js';
import { localRefusals, planRefusals } from '../platform/local/refusals.js';
import { swarmRefusals } from '../platform/swarm/refusals.js';
import { CliError } from './cli-error.js';
import { redactedCommand } from './command-line.js';
import { DEFAULT_STACK, RESULTS_FOLDER } from './defaults.js';
import { exitCode } from './exit-code.js';
import type { Host } from './host.js';
import { createLocalConductor } from './local/local-conductor.js';
import {
  addWorkerOptions,
  namedWorkers,
  namesWorkers,
  refuseImpossibleWorkers,
  type WorkerOptions,
  workerCountOf,
  workerRefusals,
} from './named-workers.js';
import type { LoadOptions } from './options/load-options.js';
import { collectPairs, parseWholeNumber } from './options/option-parsers.js';
import type { ConductorOptions, RunConductor } from './run-conductor.js';
import { ensureWritable } from './run-controller.js';
import { addRegistryAuth } from './stack/stack-options.js';

export interface PlatformOptions extends WorkerOptions {
  readonly on: 'local' | 'swarm';
  readonly stack: string;
  readonly controller?: string;
  readonly tokenFile?: string;
  readonly controllerCa?: string;
  readonly withRegistryAuth?: boolean;
  readonly out: string;
  readonly threads?: number;
  readonly label: Readonly<Record<string, string>>;
}

export function addPlatformOptions(command: Command): Command {
  return addWorkerOptions(addRegistryAuth(command))
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
  refuseImpossibleWorkers(options, { isRemote: isRemote(options) });
  if (options.threads !== undefined && namesWorkers(options)) {
    throw new CliError({
      code: 'USAGE',
      message: '--threads applies only to workers that this command starts',
      hint: 'give it to each worker: swarmbench worker --listen PORT --threads N',
    });
  }
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
export function refusePlan(plan: Plan, options: PlatformOptions, host: Host): void {
  const refusals = refusalsOf(plan, options, host);
  if (refusals.length === 0) return;
  throw new CliError({
    code: 'PLAN_REFUSED',
    message: `${plan.scenario}: the ${options.on} platform cannot run this plan`,
    where: refusals.join('\n  '),
    exitCode: exitCode.usage,
  });
}

function refusalsOf(plan: Plan, options: PlatformOptions, host: Host): readonly string[] {
  if (options.on === 'swarm') return swarmRefusals(plan);
  // A harness elsewhere refuses by itself what it cannot run.
  if (options.controller !== undefined) return [];
  const refusals = workerRefusals(plan, options, host);
  // How much the workers can bear that are named, they say themselves.
  if (namesWorkers(options)) return [...planRefusals(plan), ...refusals];
  return [...localRefusals(plan, workerCountOf(options, host)), ...refusals];
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
  platformOptions: PlatformOptions,
  options: ConductorOptions,
): Promise<RunConductor<PlanSource>> {
  const { threads, label: labels, extraConsumers = false } = platformOptions;
  const { host } = options;
  const named = namedWorkers(platformOptions, host);
  const workers = workerCountOf(platformOptions, host);
  const conductor = await createLocalConductor({ ...options, threads });
  const submitOptions = {
    command: redactedCommand(host.args),
    labels,
    extraConsumers,
    ...(workers === undefined ? {} : { workers }),
    ...(named === undefined ? {} : { named }),
  };
  return { ...conductor, run: (plan) => conductor.run(plan, submitOptions) };
}

async function remoteConductor(
  platformOptions: PlatformOptions,
  options: ConductorOptions,
): Promise<RunConductor<PlanSource>> {
  const { stack, controller, tokenFile, controllerCa, withRegistryAuth = false, label: labels } = platformOptions;
  const workers = workerCountOf(platformOptions, options.host);
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
