/** Where runs take place, and who conducts them: what `run` and `capacity` share. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Plan } from '../../scenarios/schema/plan.js';
import { refusals, workerCountRefusals } from '../platform/local/local-platform.js';
import { refusals as swarmRefusals } from '../platform/swarm/refusals.js';
import { CliError } from './cli-error.js';
import { exitCode } from './exit-code.js';
import type { Host } from './host.js';
import { type LoadOptions, wholeNumber } from './load-options.js';
import { type Conducted, createLocalConductor, ensureWritable } from './local/local-conductor.js';
import { redactedCommand } from './redacted-command.js';
import { addRegistryAuth, DEFAULT_STACK } from './stack/stack-options.js';
import type { Style } from './terminal/style.js';

export interface WhereOptions {
  readonly on: 'local' | 'swarm';
  readonly stack: string;
  readonly controller?: string;
  readonly tokenFile?: string;
  readonly withRegistryAuth?: boolean;
  readonly out: string;
  readonly workers?: number;
  readonly threads?: number;
  readonly label: Readonly<Record<string, string>>;
}

export function addWhereOptions(command: Command): Command {
  return addRegistryAuth(command)
    .addOption(new Option('--on <platform>', 'where to run').choices(['local', 'swarm']).default('local'))
    .option('--stack <name>', 'with --on swarm: which stack; it is deployed when it is not there', DEFAULT_STACK)
    .option('--controller <url>', "a harness that is somewhere (`swarmbench serve`), in place of the stack's")
    .option('--token-file <file>', 'token of that harness (default: the one that `swarmbench up` made)')
    .option('--out <folder>', 'where results go', 'results')
    .option('--workers <n>', 'worker processes (default: as many as the plan needs)', wholeNumber)
    .option('--threads <n>', 'engine threads of each worker (default: the cores the target leaves free)', wholeNumber)
    .option('--label <key=value>', 'kept in the report (repeatable)', collectLabel, {});
}

export function isRemote({ on, controller }: WhereOptions): boolean {
  return on === 'swarm' || controller !== undefined;
}

/** @throws CliError USAGE for options that do not go together */
export function refuseImpossible(options: WhereOptions): void {
  if (options.threads !== undefined && isRemote(options)) {
    throw new CliError({
      code: 'USAGE',
      message: '--threads is for workers that are started here',
      hint: 'a worker of the stack has one engine thread for each core it may use',
    });
  }
  if (options.withRegistryAuth === true && (options.on !== 'swarm' || options.controller !== undefined)) {
    throw new CliError({
      code: 'USAGE',
      message: '--with-registry-auth is for a stack that is deployed',
      hint: 'it goes with --on swarm, and without --controller',
    });
  }
}

/** What a harness elsewhere can do, it says itself. @throws CliError PLAN_REFUSED */
export function refusePlan(plan: Plan, { on, controller, workers }: WhereOptions): void {
  const refused =
    on === 'swarm'
      ? swarmRefusals(plan)
      : controller === undefined
        ? [...refusals(plan), ...workerCountRefusals(plan, workers)]
        : [];
  if (refused.length === 0) return;
  throw new CliError({
    code: 'PLAN_REFUSED',
    message: `${plan.scenario}: the ${on} platform cannot do this plan`,
    where: refused.join('\n  '),
    exitCode: exitCode.usage,
  });
}

/** Here or elsewhere: one run after the other. */
interface RunConductor {
  /** @param load what the plan was made with, for a harness that makes it again */
  run(plan: Plan, scenario: string, load: LoadOptions): Promise<Conducted>;
  readonly interrupted: () => boolean;
  close(): Promise<void>;
}

interface OutputOptions {
  readonly resultsFolder: string;
  readonly quiet: boolean;
  /** Of stderr. */
  readonly style: Style;
}

export function chooseConductor(options: WhereOptions, shown: OutputOptions, host: Host): Promise<RunConductor> {
  return isRemote(options) ? remoteConductor(options, shown, host) : localConductor(options, shown, host);
}

async function localConductor(
  { threads, label: labels, workers }: WhereOptions,
  shown: OutputOptions,
  host: Host,
): Promise<RunConductor> {
  const conductor = await createLocalConductor({ host, threads, ...shown });
  return {
    ...conductor,
    run: (plan) =>
      conductor.run(plan, {
        command: redactedCommand(host.args),
        labels,
        ...(workers === undefined ? {} : { workers }),
      }),
  };
}

async function remoteConductor(options: WhereOptions, shown: OutputOptions, host: Host): Promise<RunConductor> {
  const { stack, controller, tokenFile, withRegistryAuth = false, label: labels, workers } = options;
  ensureWritable(shown.resultsFolder);
  // The engine's client is much to read for a run on this machine.
  const [{ connectHarness }, { createRemoteConductor }, { buildRunRequest }] = await Promise.all([
    import('./remote/connect-harness.js'),
    import('./remote/remote-conductor.js'),
    import('./remote/build-run-request.js'),
  ]);
  const api = await connectHarness({ stack, controller, tokenFile, withRegistryAuth, ...shown }, host);
  const conductor = createRemoteConductor({ host, api, ...shown });
  const how = { command: redactedCommand(host.args), labels, workers };
  return {
    ...conductor,
    run: (plan, scenario, load) => conductor.run(plan, buildRunRequest(scenario, load, plan, how)),
  };
}

function collectLabel(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Write it as key=value.');
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
}
