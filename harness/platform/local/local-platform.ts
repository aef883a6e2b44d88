import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandEndpoint, urlEndpoints } from '../../../client-sim/protocol/endpoints.js';
import type { Endpoint } from '../../../client-sim/protocol/messages.js';
import { describeFault } from '../../../scenarios/schema/faults/fault-kinds.js';
import { formatDuration } from '../../../scenarios/schema/grammar/units.js';
import { connectionsIn } from '../../../scenarios/schema/offered-load.js';
import type { FaultPlan, Plan } from '../../../scenarios/schema/plan.js';
import { factsOf } from '../../../scenarios/schema/transports.js';
import type { Environment, Platform, PlatformContext, Replica } from '../platform.js';
import { readConnectionLimits } from './connection-limits.js';
import { describeMachine, usableCores } from './describe-machine.js';
import {
  endPrograms,
  logTail,
  PlatformError,
  type ProcessHost,
  type Program,
  type ProgramSpec,
  startProgram,
  waitUntilHealthy,
  waitUntilListening,
} from './program.js';
import { withSourceAddresses } from './source-addresses.js';
import { createUsageMeter } from './usage-meter.js';
import { countWorkers, type WorkerCount } from './worker-count.js';

/** The local platform: target and workers are child processes on this machine. */

const START_BUDGET_MS = 20_000;

interface LocalOptions {
  readonly host: ProcessHost;
  readonly nodeVersion: string;
  /** Engine threads of each worker; undefined: the cores that the targets leave free. */
  readonly threads: number | undefined;
}

export function createLocalPlatform(options: LocalOptions): Platform {
  return {
    name: 'local',
    refusals,
    prepare: (plan, context, signal) => prepare(plan, context, options, signal),
  };
}

/** Of an image nothing more is said: what runs in a container is another platform's. */
export function refusals(plan: Plan): readonly string[] {
  return [...imageRefusals(plan), ...stickinessRefusals(plan), ...plan.faults.map(faultRefusal)];
}

function imageRefusals({ target }: Plan): readonly string[] {
  if (target.kind !== 'image') return [];
  const { image, port, path } = target;
  return [
    `target.server.image: ${image} (port ${port}, path ${path}) is started by a swarm: --on swarm; or start it yourself and say --target http://localhost:${port}${path}`,
  ];
}

function faultRefusal(fault: FaultPlan): string {
  const time = `${formatDuration(fault.atMs)} to ${formatDuration(fault.untilMs)}`;
  return `faults: ${describeFault(fault)}, ${time}, needs a swarm: --on swarm`;
}

/**
 * Stickiness is the gateway's, and there is none here: clients are spread over the replicas, and each stays with its
 * own for the whole run.
 */
function stickinessRefusals({ target, profiles }: Plan): readonly string[] {
  if (target.kind === 'url' || target.kind === 'image' || target.kind === 'command') return [];
  const asked = [
    // Without effect where every profile says otherwise.
    ...(profiles.some(({ sticky }) => sticky === undefined) ? [['target.gateway.sticky', target.sticky] as const] : []),
    ...profiles.flatMap(({ name, sticky }) =>
      sticky === undefined ? [] : [[`workload.${name}.gateway.sticky`, sticky] as const],
    ),
  ];
  return asked
    .filter(([, sticky]) => sticky !== 'session' && !(sticky === 'none' && target.replicas === 1))
    .map(
      ([key, sticky]) =>
        `${key}: ${sticky} needs a gateway, which the local platform has not; it keeps each client at one replica (sticky: session)`,
    );
}

/** How many workers this plan takes on this machine as it is now. @param given what somebody asked for */
function countWorkersHere(plan: Plan, given: number | undefined): WorkerCount {
  const { kind } = plan.target;
  return countWorkers(plan, given, readConnectionLimits(kind === 'reference' || kind === 'sink' ? 2 : 1));
}

async function prepare(
  plan: Plan,
  context: PlatformContext,
  options: LocalOptions,
  signal: AbortSignal,
): Promise<Environment> {
  // None of ours: those that register by themselves say how much they bear.
  const workerCount =
    context.workers === 0
      ? { kind: 'fits' as const, workers: 0, why: undefined }
      : countWorkersHere(plan, context.workers);
  if (workerCount.kind === 'refused')
    throw new PlatformError('CAPACITY_EXCEEDED', workerCount.problem, workerCount.hint);
  const programs: Program[] = [];
  const start = async (spec: ProgramSpec): Promise<Program> => {
    signal.throwIfAborted();
    const program = await startProgram(spec, options.host);
    programs.push(program);
    const { role, name, pid, startTicks } = program;
    context.started({ role, name, pid, startTicks });
    return program;
  };
  try {
    const replicas = await startReplicas(plan, context, start, signal);
    const { workers } = workerCount;
    for (let number = 1; number <= workers; number += 1)
      await start(workerSpec(number, workers, plan, context, options));
    return environment(plan, replicas, workerCount, programs, options);
  } catch (error) {
    await endPrograms(programs, options.host);
    throw error;
  }
}

/** A replica with its URLs by transport. */
interface LocalReplica extends Replica {
  readonly endpoints: Readonly<Record<string, string>>;
}

function environment(
  plan: Plan,
  replicas: readonly LocalReplica[],
  { workers, why }: Extract<WorkerCount, { kind: 'fits' }>,
  programs: readonly Program[],
  options: LocalOptions,
): Environment {
  let ended: Promise<void> | undefined;
  return {
    endpoints: endpointsOf(plan, replicas, options.host.platform),
    expectedWorkers: workers,
    workerLogs: 'logs/ in the run folder',
    replicas: replicas.map(({ endpoints: _, ...replica }) => replica),
    describe: async () => ({
      ...(await describeMachine(options.nodeVersion)),
      ...(why === undefined ? {} : { workers: `${workers}: ${why}` }),
    }),
    usage: createUsageMeter(programs),
    brokenWorker: () => brokenWorker(programs),
    teardown: () => (ended ??= end(programs, options.host)),
  };
}

function brokenWorker(programs: readonly Program[]): string | undefined {
  const broken = programs.find((program) => program.role === 'worker' && program.exit() !== undefined);
  return broken && `${broken.name} ended with ${broken.exit()}${logTail(broken)}`;
}

async function end(programs: readonly Program[], host: ProcessHost): Promise<void> {
  const left = await endPrograms(programs, host);
  if (left.length === 0) return;
  throw new PlatformError(
    'DEPLOY_TEARDOWN',
    `could not be ended: ${left.join(', ')}`,
    'end them by hand; their process ids are in events.jsonl',
  );
}

async function startReplicas(
  plan: Plan,
  context: PlatformContext,
  start: (spec: ProgramSpec) => Promise<Program>,
  signal: AbortSignal,
): Promise<readonly LocalReplica[]> {
  const { target } = plan;
  if (target.kind === 'url' || target.kind === 'image' || target.kind === 'command') return [];
  const numbers = Array.from({ length: target.replicas }, (_, index) => index + 1);
  return Promise.all(
    numbers.map(async (number) => {
      const name = `${target.kind}-${number}`;
      const program = await start({
        role: 'target',
        name,
        ...TARGETS[target.kind](name, plan.seed, context),
        env: {},
        logFile: logFile(context, name),
      });
      const { url, endpoints } = await waitUntilListening(program, START_BUDGET_MS, signal);
      await waitUntilHealthy(program, url, START_BUDGET_MS, signal);
      return { id: name, node: hostname(), url: url.href, endpoints };
    }),
  );
}

const LISTEN_ARGS = ['--host', '127.0.0.1', '--port', '0', '--stream-port', '0'];

const TARGETS: Readonly<
  Record<
    'reference' | 'sink',
    (name: string, seed: number, context: PlatformContext) => Pick<ProgramSpec, 'entry' | 'args'>
  >
> = {
  reference: (name, seed, context) => ({
    entry: entryPoint('../../../swarm/reference-server/main.js'),
    args: [...LISTEN_ARGS, '--id', name, '--seed', String(seed), ...leaseArgs(context)],
  }),
  sink: (_name, _seed, context) => ({
    entry: entryPoint('../../../swarm/reference-server/sink.js'),
    args: [...LISTEN_ARGS, ...leaseArgs(context)],
  }),
};

function workerSpec(
  number: number,
  workers: number,
  plan: Plan,
  context: PlatformContext,
  options: LocalOptions,
): ProgramSpec {
  const name = `worker-${number}`;
  return {
    role: 'worker',
    name,
    entry: entryPoint('../../../client-sim/main.js'),
    args: [
      '--controller',
      context.controllerUrl,
      '--slot',
      String(number),
      '--threads',
      String(options.threads ?? threadsFor(plan, workers)),
      ...leaseArgs(context),
    ],
    // In the environment and not in the arguments, which every user of the machine can read.
    env: context.workerToken === undefined ? {} : { SWARMBENCH_WORKER_TOKEN: context.workerToken },
    logFile: logFile(context, name),
  };
}

/**
 * One engine thread for every core that is not a target's, split over the workers; more threads than clients are of no
 * use.
 */
export function threadsFor(plan: Plan, workers: number, cores: number = usableCores()): number {
  const { target } = plan;
  const taken = target.kind === 'url' || target.kind === 'command' ? 1 : target.replicas;
  const clients = plan.profiles.reduce((sum, profile) => sum + profile.clients, 0);
  return Math.max(1, Math.min(Math.floor((cores - taken) / workers), Math.ceil(clients / workers)));
}

function endpointsOf(plan: Plan, replicas: readonly LocalReplica[], platform: NodeJS.Platform): readonly Endpoint[] {
  const { target } = plan;
  if (target.kind === 'url')
    return withSourceAddresses(urlEndpoints(target), connectionsIn(plan.profiles), target.urls.length, platform);
  if (target.kind === 'command') return [commandEndpoint(target)];
  const used = [...new Set(plan.profiles.map(({ transport }) => transport))];
  const endpoints = used.flatMap((transport) =>
    replicas.flatMap(({ id, endpoints }) => {
      const url = endpoints[factsOf(transport).wireTransport ?? transport];
      return url === undefined ? [] : [{ url, headers: {}, transport, replica: id }];
    }),
  );
  return withSourceAddresses(endpoints, connectionsIn(plan.profiles), replicas.length, platform);
}

/** Programs end by themselves when nobody has touched this file for a minute: the controller is gone for good. */
function leaseArgs(context: PlatformContext): readonly string[] {
  return ['--lease', join(context.runFolder, 'controller.lease')];
}

function logFile(context: PlatformContext, name: string): string {
  return join(context.runFolder, 'logs', `${name}.log`);
}

/** From the same build that this file is from. */
function entryPoint(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

/** What this machine makes of a plan, before anything is started. */

/** Too many connections for this machine, or for so many workers: known before anything is started. */
export function workerCountRefusals(plan: Plan, workers: number | undefined): readonly string[] {
  const workerCount = countWorkersHere(plan, workers);
  return workerCount.kind === 'refused' ? [`${workerCount.problem}: ${workerCount.hint}`] : [];
}

/** Workers of a plan that is not refused, when it runs here. */
export function workersHere(
  plan: Plan,
  given: number | undefined,
): { readonly workers: number; readonly why?: string } {
  const workerCount = countWorkersHere(plan, given);
  return workerCount.kind === 'refused'
    ? { workers: given ?? 1 }
    : { workers: workerCount.workers, ...(workerCount.why === undefined ? {} : { why: workerCount.why }) };
}
