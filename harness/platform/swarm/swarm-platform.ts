/**
 * A run inside a stack that is up: its services are given the replicas that the plan needs, and go back to rest after
 * it. Works in the harness service, in the stack's own networks.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plan } from '../../../scenarios/schema/plan.js';
import type { Environment, Platform, PlatformContext, UsageSample } from '../platform.js';
import type { Engine } from './engine/engine.js';
import { createInjector } from './faults/injector.js';
import { refusals } from './refusals.js';
import { ContainerUsageMeter, readContainers } from './run-on-stack/container-usage.js';
import { describeSwarm, type OwnVersions } from './run-on-stack/describe-swarm.js';
import { setGateway, waitForServers } from './run-on-stack/gateway.js';
import { type RunningTask, runningTasks } from './run-on-stack/running-tasks.js';
import { rest, scaleForRun } from './run-on-stack/scale-for-run.js';
import { SwarmPlatformError } from './run-on-stack/swarm-platform-error.js';
import { reach, replicasOf, TARGET, type Target, targetOf } from './run-on-stack/target.js';
import { workersByService } from './run-on-stack/worker-count.js';
import { type Stack, type StackServices, servicesOf } from './stack/stack-objects.js';
import { waitConverged } from './stack/wait-converged.js';

interface SwarmPlatformOptions {
  readonly engine: Engine;
  /** Name of the stack that this harness is part of. */
  readonly stack: string;
  /** For the agents. */
  readonly apiToken: string | undefined;
  readonly versions: OwnVersions;
  /** For what goes wrong after a run, when nobody waits for it any more. */
  readonly log: (line: string) => void;
}

interface SwarmPlatform extends Platform {
  /**
   * Puts to rest what a harness before this one left scaled, unless a run of this one is on. Gives the services it
   * found so.
   */
  rest(signal: AbortSignal): Promise<readonly string[]>;
}

const SCALE_MS = 120_000;
const TEARDOWN_MS = 45_000;
const LOOK_MS = 200;

export function createSwarmPlatform({
  engine,
  stack: name,
  apiToken,
  versions,
  log,
}: SwarmPlatformOptions): SwarmPlatform {
  const stack: Stack = { engine, name };
  const faults = createInjector(stack);
  let busy = 0;
  let resting: Promise<readonly string[]> = Promise.resolve([]);
  return {
    name: 'swarm',
    refusals,
    faults,
    rest: (signal) => (resting = busy > 0 ? Promise.resolve([]) : rest(stack, signal)),
    async prepare(plan, context, signal) {
      // What is put to rest at this moment must not take away again what this run is given.
      await resting.catch(() => undefined);
      const services = await servicesOf(stack, signal);
      const target = targetOf(plan, services, name);
      // What is not there to be changed must show before the load, and not in its middle.
      for (const fault of plan.faults) await faults.look(fault, signal);
      const workerCounts = workerCountsOf(plan, services, context);
      const tearDown = once(async () => {
        try {
          await scaleDown(stack, services, workerCounts);
        } catch (error) {
          log(
            `${context.runId}: the stack ${name} could not be put to rest: ${error instanceof Error ? error.message : String(error)}`,
          );
          throw error;
        } finally {
          busy -= 1;
        }
      });
      busy += 1;
      try {
        const tasks = await scaleUp(stack, services, target, workerCounts, signal);
        // As they are for this run: its image, its labels.
        const arranged = await servicesOf(stack, signal);
        return environment({
          plan,
          stack,
          services: arranged,
          target: targetOf(plan, arranged, name),
          workerCounts,
          tasks,
          apiToken,
          versions,
          tearDown,
        });
      } catch (error) {
        await tearDown().catch(() => undefined);
        throw error;
      }
    },
  };
}

/** Workers by service; none when those that register by themselves are to be used. */
type WorkerCounts = ReadonlyMap<string, number>;

function workerCountsOf(plan: Plan, services: StackServices, { workers }: PlatformContext): WorkerCounts {
  return workers === 0 ? new Map() : workersByService(plan, services.keys(), workers);
}

async function scaleUp(
  stack: Stack,
  services: StackServices,
  target: Target,
  workerCounts: WorkerCounts,
  signal: AbortSignal,
): Promise<readonly RunningTask[]> {
  const wanted = new Map([...workerCounts, ...(target.kind === 'service' ? [[TARGET, target.replicas] as const] : [])]);
  const gateway =
    target.kind === 'service' && target.gateway !== undefined
      ? await setGateway(stack, target.gateway, target.sticky, target.image, signal)
      : undefined;
  const image = target.kind === 'service' ? target.image : undefined;
  const awaited = [...(await scaleForRun(stack, wanted, image, signal)), ...(gateway === undefined ? [] : [gateway])];
  await waitConverged(stack.engine, stack.name, awaited, { timeoutMs: SCALE_MS }, () => undefined, signal);
  if (target.kind === 'service' && target.gateway !== undefined) await waitForServers(target.replicas, signal);
  return await runningTasks(stack, services, wanted.keys(), signal);
}

interface Parts {
  readonly plan: Plan;
  readonly stack: Stack;
  readonly services: StackServices;
  readonly target: Target;
  readonly workerCounts: WorkerCounts;
  readonly tasks: readonly RunningTask[];
  readonly apiToken: string | undefined;
  readonly versions: OwnVersions;
  readonly tearDown: () => Promise<void>;
}

function environment({
  plan,
  stack,
  services,
  target,
  workerCounts,
  tasks,
  apiToken,
  versions,
  tearDown,
}: Parts): Environment {
  const replicas = replicasOf(target, tasks, stack);
  const workers = new Map(
    tasks
      .filter(({ service }) => workerCounts.has(service))
      .map(({ host, service, slot, task, node }) => [host, { service, slot, task, node }]),
  );
  const roles = new Map<string, UsageSample['role']>([
    ...[...workerCounts.keys()].map((service) => [service, 'worker'] as const),
    [TARGET, 'target'],
  ]);
  const meter = new ContainerUsageMeter(roles);
  const { signal } = new AbortController();
  return {
    ...reach(target, replicas, target.kind === 'service' ? target.sticky : 'session', plan),
    reach: (sticky) => reach(target, replicas, sticky, plan),
    workerLogs: workerLogsOf(stack.name, workerCounts.keys()),
    expectedWorkers: [...workerCounts.values()].reduce((sum, count) => sum + count, 0),
    replicas,
    placeOf: ({ host }) => workers.get(host),
    describe: () => describeSwarm(stack, services, versions, signal),
    usage: async () => meter.samples(await readContainers(apiToken, signal)),
    teardown: tearDown,
  };
}

function workerLogsOf(stack: string, services: Iterable<string>): string {
  return `\`swarmbench logs --stack ${stack} ${[...services].join(' ')}\``;
}

/**
 * Back to rest, and until the workers' processes are gone: the next run must not meet them. @throws SwarmPlatformError
 * WORKERS_LEFT
 */
async function scaleDown(stack: Stack, services: StackServices, workerCounts: WorkerCounts): Promise<void> {
  const signal = AbortSignal.timeout(TEARDOWN_MS);
  await rest(stack, signal);
  const ids = [...workerCounts.keys()].flatMap((name) => services.get(name)?.ID ?? []);
  const giveUpAt = performance.now() + TEARDOWN_MS - 5_000;
  for (;;) {
    const left = (await stack.engine.tasks.ofServices(ids, signal)).filter(
      ({ DesiredState, Status }) => DesiredState !== 'running' && Status.State === 'running',
    );
    if (left.length === 0) return;
    if (performance.now() > giveUpAt) {
      throw new SwarmPlatformError(
        'WORKERS_LEFT',
        `${left.length} workers of the stack ${stack.name} have not ended: tasks ${left.map(({ ID }) => ID).join(', ')}`,
        '`docker service ps` says on which nodes they are',
      );
    }
    await sleep(LOOK_MS, undefined, { signal });
  }
}

function once(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= act());
}
