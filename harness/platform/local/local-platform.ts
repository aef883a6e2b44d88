/** The local platform: target and workers are child processes on this machine. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandEndpoint, urlEndpoints } from '../../../client-sim/protocol/endpoints.js';
import type { Endpoint } from '../../../client-sim/protocol/messages.js';
import { connectionsIn } from '../../../scenarios/schema/offered-load.js';
import { type Plan, type TargetPlan, targetsOf } from '../../../scenarios/schema/plan.js';
import { factsOf } from '../../../scenarios/schema/transports.js';
import type { Environment, Platform, PlatformContext, Replica } from '../platform.js';
import { describeMachine } from './describe-machine.js';
import { createLocalInjector, type LiveRun } from './faults/injector.js';
import { type Fronted, hasProxies, lastingPort, standBefore } from './faults/stand-before.js';
import {
  type CommandSpec,
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
import { planRefusals } from './refusals.js';
import { withSourceAddresses } from './source-addresses.js';
import { startUpstreams } from './upstreams.js';
import { createUsageMeter } from './usage-meter.js';
import { countWorkersHere, threadsFor, type WorkerCount } from './worker-count.js';

const START_BUDGET_MS = 20_000;

interface LocalOptions {
  readonly host: ProcessHost;
  /** Folder of package.json. */
  readonly packageRoot: string;
  readonly versions: { readonly swarmbench: string; readonly node: string };
  /** Engine threads of each worker; undefined: one for each core that the targets leave free. */
  readonly threads: number | undefined;
}

export function createLocalPlatform(options: LocalOptions): Platform {
  const live = new Map<string, LiveRun>();
  return {
    name: 'local',
    refusals: planRefusals,
    prepare: (plan, context, signal) => prepare(plan, context, options, live, signal),
    faults: createLocalInjector(options.host, live),
    adopt: (_plan, { programs }) => {
      const usage = createUsageMeter(programs);
      // Shares are of the time between two readings.
      void usage().catch(() => undefined);
      return { usage };
    },
  };
}

/** Workers that register by themselves know their own limits. */
const NO_WORKERS = { kind: 'fits', workers: 0, why: undefined } as const;

async function prepare(
  plan: Plan,
  context: PlatformContext,
  options: LocalOptions,
  live: Map<string, LiveRun>,
  signal: AbortSignal,
): Promise<Environment> {
  const workerCount = context.workers === 0 ? NO_WORKERS : countWorkersHere(plan, context.workers);
  if (workerCount.kind === 'refused')
    throw new PlatformError('CAPACITY_EXCEEDED', workerCount.problem, workerCount.hint);
  const programs: Program[] = [];
  const start = async (spec: ProgramSpec | CommandSpec): Promise<Program> => {
    signal.throwIfAborted();
    const program = await startProgram(spec, options.host);
    programs.push(program);
    const { role, name, pid, startTicks } = program;
    context.started({ role, name, pid, startTicks });
    return program;
  };
  try {
    const taken = new Set<number>();
    const bare = await startReplicas(plan, context, start, taken, signal);
    const fronted = await frontOf(plan, bare, context, start, taken, signal);
    const replicas = bare.map((replica) => ({
      ...replica,
      endpoints: fronted?.endpoints.get(replica.id) ?? replica.endpoints,
    }));
    const registered = await startUpstreams(plan, context, start, options.host, signal);
    const { workers } = workerCount;
    for (let number = 1; number <= workers; number += 1)
      await start(workerSpec(number, workers, plan, context, options));
    live.set(context.runFolder, {
      async start(spec) {
        const program = await startProgram(spec, options.host);
        programs.push(program);
        return program;
      },
      exitOf: (pid) => programs.find((program) => program.pid === pid)?.exit(),
    });
    const tearDown = async (): Promise<void> => {
      live.delete(context.runFolder);
      await end(programs, options.host);
    };
    const made = environment(plan, replicas, workerCount, programs, fronted?.adds, tearDown, options);
    return registered === undefined ? made : { ...made, registration: registered };
  } catch (error) {
    await endPrograms(programs, options.host);
    throw error;
  }
}

interface LocalReplica extends Replica {
  readonly kind: StartedTarget['kind'];
  /** How many replicas its target has. */
  readonly group: number;
  /** Its URLs by transport. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly program: Program;
  readonly spec: Pick<ProgramSpec, 'entry' | 'args' | 'logFile'>;
}

/** Only runs with faults have a fault helper. */
async function frontOf(
  plan: Plan,
  replicas: readonly LocalReplica[],
  context: PlatformContext,
  start: (spec: ProgramSpec) => Promise<Program>,
  taken: Set<number>,
  signal: AbortSignal,
): Promise<Fronted | undefined> {
  if (plan.faults.length === 0) return undefined;
  const bare = replicas.map(({ id, url, endpoints, program: { pid, startTicks }, spec: { entry, args, logFile } }) => ({
    id,
    url,
    endpoints,
    pid,
    ...(startTicks === undefined ? {} : { startTicks }),
    entry,
    args: [...args],
    logFile,
  }));
  const { runFolder } = context;
  const options = { runFolder, leaseArgs: leaseArgs(context), start, taken, withProxies: hasProxies(plan) };
  return standBefore(bare, options, signal);
}

function environment(
  plan: Plan,
  replicas: readonly LocalReplica[],
  { workers, why }: Extract<WorkerCount, { kind: 'fits' }>,
  programs: readonly Program[],
  proxiesAdd: string | undefined,
  tearDown: () => Promise<void>,
  options: LocalOptions,
): Environment {
  let ended: Promise<void> | undefined;
  const endpoints = (target: TargetPlan): readonly Endpoint[] =>
    endpointsOf(target, plan, replicas, options.host.platform);
  const arms = plan.arms?.map(({ name, target }) => [name, { endpoints: endpoints(target) }] as const);
  return {
    endpoints: endpoints(plan.target),
    ...(arms === undefined ? {} : { arms: new Map(arms) }),
    expectedWorkers: workers,
    workerLogs: 'logs/ in the run folder',
    replicas: replicas.map(({ id, node, url }) => ({ id, node, url })),
    describe: async () => ({
      ...(await describeMachine(options)),
      ...(why === undefined ? {} : { workers: `${workers}: ${why}` }),
      ...(proxiesAdd === undefined ? {} : { 'proxies for faults': proxiesAdd }),
    }),
    usage: createUsageMeter(programs),
    brokenWorker: () => brokenWorker(programs),
    teardown: () => (ended ??= tearDown()),
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
    `could not end ${left.join(', ')}`,
    'end them by hand; their process ids are in events.jsonl',
  );
}

async function startReplicas(
  plan: Plan,
  context: PlatformContext,
  start: (spec: ProgramSpec) => Promise<Program>,
  taken: Set<number>,
  signal: AbortSignal,
): Promise<readonly LocalReplica[]> {
  const groups = startedTargets(plan);
  const started: LocalReplica[] = [];
  for (const { kind, replicas } of groups) {
    const first = started.filter((replica) => replica.kind === kind).length + 1;
    started.push(...(await startGroup({ kind, replicas, first }, plan, context, start, taken, signal)));
  }
  return started;
}

/** The servers of a kind that this platform starts. Arms with the same share them. */
interface StartedTarget {
  readonly kind: 'reference' | 'sink';
  readonly replicas: number;
}

function startedTargets(plan: Plan): readonly StartedTarget[] {
  const groups = new Map<string, StartedTarget>();
  for (const target of targetsOf(plan))
    if (target.kind === 'reference' || target.kind === 'sink')
      groups.set(`${target.kind} ${target.replicas}`, { kind: target.kind, replicas: target.replicas });
  return [...groups.values()];
}

async function startGroup(
  { kind, replicas, first }: StartedTarget & { readonly first: number },
  plan: Plan,
  context: PlatformContext,
  start: (spec: ProgramSpec) => Promise<Program>,
  taken: Set<number>,
  signal: AbortSignal,
): Promise<readonly LocalReplica[]> {
  const numbers = Array.from({ length: replicas }, (_, index) => first + index);
  // A replica that a fault ends is started again at the same ports.
  const lasting = plan.faults.length > 0;
  const ports: (readonly [number, number])[] = [];
  for (const _ of numbers) ports.push(lasting ? [await lastingPort(taken), await lastingPort(taken)] : [0, 0]);
  return Promise.all(
    numbers.map(async (number) => {
      const name = `${kind}-${number}`;
      const [port = 0, streamPort = 0] = ports[number - first] ?? [];
      const { entry, args } = TARGETS[kind](name, plan.seed, context);
      const listen = ['--host', '127.0.0.1', '--port', String(port), '--stream-port', String(streamPort)];
      const spec = { entry, args: [...listen, ...args], logFile: logFile(context, name) };
      const program = await start({ role: 'target', name, ...spec, env: {} });
      const { url, endpoints } = await waitUntilListening(program, START_BUDGET_MS, signal);
      await waitUntilHealthy(program, url, START_BUDGET_MS, signal);
      return { id: name, node: hostname(), url: url.href, endpoints, program, spec, kind, group: replicas };
    }),
  );
}

const TARGETS: Readonly<
  Record<
    'reference' | 'sink',
    (name: string, seed: number, context: PlatformContext) => Pick<ProgramSpec, 'entry' | 'args'>
  >
> = {
  reference: (name, seed, context) => ({
    entry: entryPoint('../../../swarm/reference-server/main.js'),
    args: ['--id', name, '--seed', String(seed), ...leaseArgs(context)],
  }),
  sink: (_name, _seed, context) => ({
    entry: entryPoint('../../../swarm/reference-server/sink.js'),
    args: leaseArgs(context),
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
    // Not in the arguments, which every user of the machine can read.
    env: { SWARMBENCH_WORKER_TOKEN: context.workerToken },
    logFile: logFile(context, name),
  };
}

function endpointsOf(
  target: TargetPlan,
  plan: Plan,
  all: readonly LocalReplica[],
  platform: NodeJS.Platform,
): readonly Endpoint[] {
  const replicas = all.filter(({ kind, group }) => kind === target.kind && group === target.replicas);
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

/** Programs end by themselves when nothing has renewed this file for a minute: then their controller is gone. */
function leaseArgs(context: PlatformContext): readonly string[] {
  return ['--lease', join(context.runFolder, 'controller.lease')];
}

function logFile(context: PlatformContext, name: string): string {
  return join(context.runFolder, 'logs', `${name}.log`);
}

/** In the same build as this file. */
function entryPoint(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
