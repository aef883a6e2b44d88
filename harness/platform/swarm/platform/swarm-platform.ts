/**
 * A run inside a stack that is up: its services are given the replicas that the plan needs, and go back to rest after
 * it. Works in the harness service, in the stack's own networks.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plan } from '../../../../scenarios/schema/plan.js';
import type { Environment, Platform, PlatformContext, UsageSample } from '../../platform.js';
import type { Engine } from '../engine/engine.js';
import { createInjector } from '../faults/injector.js';
import { waitConverged } from '../stack/wait-converged.js';
import { arrange, rest } from './arrangement.js';
import { readContainers, UseMeter } from './container-use.js';
import { workersByService } from './crew-size.js';
import { describeSwarm, type OwnVersions } from './describe-swarm.js';
import { setGateway, waitForServers } from './gateway.js';
import { SwarmPlatformError } from './platform-error.js';
import { refusals } from './refusals.js';
import { type RunningTask, runningTasks } from './running-tasks.js';
import { type Stack, type StackServices, servicesOf } from './stack-services.js';
import { reach, replicasOf, TARGET, type Target, targetOf } from './target.js';

export interface SwarmPlatformOptions {
  readonly engine: Engine;
  /** Name of the stack that this harness is part of. */
  readonly stack: string;
  /** For the agents. */
  readonly apiToken: string | undefined;
  readonly versions: OwnVersions;
  /** For what goes wrong after a run, when nobody waits for it any more. */
  readonly log: (line: string) => void;
}

export interface SwarmPlatform extends Platform {
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
      const crew = crewOf(plan, services, context);
      const tearDown = once(async () => {
        try {
          await standDown(stack, services, crew);
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
        const tasks = await bringUp(stack, services, target, crew, signal);
        // As they are for this run: its image, its labels.
        const arranged = await servicesOf(stack, signal);
        return environment({
          plan,
          stack,
          services: arranged,
          target: targetOf(plan, arranged, name),
          crew,
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
type Crew = ReadonlyMap<string, number>;

function crewOf(plan: Plan, services: StackServices, { workers }: PlatformContext): Crew {
  return workers === 0 ? new Map() : workersByService(plan, services.keys(), workers);
}

async function bringUp(
  stack: Stack,
  services: StackServices,
  target: Target,
  crew: Crew,
  signal: AbortSignal,
): Promise<readonly RunningTask[]> {
  const wanted = new Map([...crew, ...(target.kind === 'service' ? [[TARGET, target.replicas] as const] : [])]);
  const gateway =
    target.kind === 'service' && target.gateway !== undefined
      ? await setGateway(stack, target.gateway, target.sticky, target.image, signal)
      : undefined;
  const image = target.kind === 'service' ? target.image : undefined;
  const awaited = [...(await arrange(stack, wanted, image, signal)), ...(gateway === undefined ? [] : [gateway])];
  await waitConverged(stack.engine, stack.name, awaited, { timeoutMs: SCALE_MS }, () => undefined, signal);
  if (target.kind === 'service' && target.gateway !== undefined) await waitForServers(target.replicas, signal);
  return await runningTasks(stack, services, wanted.keys(), signal);
}

interface Parts {
  readonly plan: Plan;
  readonly stack: Stack;
  readonly services: StackServices;
  readonly target: Target;
  readonly crew: Crew;
  readonly tasks: readonly RunningTask[];
  readonly apiToken: string | undefined;
  readonly versions: OwnVersions;
  readonly tearDown: () => Promise<void>;
}

function environment({ plan, stack, services, target, crew, tasks, apiToken, versions, tearDown }: Parts): Environment {
  const replicas = replicasOf(target, tasks, stack);
  const workers = new Map(
    tasks
      .filter(({ service }) => crew.has(service))
      .map(({ host, service, slot, task, node }) => [host, { service, slot, task, node }]),
  );
  const roles = new Map<string, UsageSample['role']>([
    ...[...crew.keys()].map((service) => [service, 'worker'] as const),
    [TARGET, 'target'],
  ]);
  const meter = new UseMeter(roles);
  const { signal } = new AbortController();
  return {
    ...reach(target, replicas, target.kind === 'service' ? target.sticky : 'session', plan),
    reach: (sticky) => reach(target, replicas, sticky, plan),
    workerLogs: workerLogsOf(stack.name, crew.keys()),
    expectedWorkers: [...crew.values()].reduce((sum, count) => sum + count, 0),
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
async function standDown(stack: Stack, services: StackServices, crew: Crew): Promise<void> {
  const signal = AbortSignal.timeout(TEARDOWN_MS);
  await rest(stack, signal);
  const ids = [...crew.keys()].flatMap((name) => services.get(name)?.ID ?? []);
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
