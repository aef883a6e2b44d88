/**
 * The platform of a harness in a stack. For a run, the services of the stack get the replicas that the plan needs;
 * afterwards they return to idle. The platform works from inside the harness service, in the stack's own networks.
 */
import { urlEndpoints } from '../../../client-sim/protocol/endpoints.js';
import type { Plan, Stickiness } from '../../../scenarios/schema/plan.js';
import { messageOf } from '../../support/error-message.js';
import { pollUntil } from '../../support/poll-until.js';
import type { Environment, News, Place, Platform, PlatformContext, Reach, Replica, UsageSample } from '../platform.js';
import type { Task } from './engine/answers.js';
import type { Engine } from './engine/engine.js';
import { createInjector } from './faults/injector.js';
import { NodeAgents } from './faults/node-agents.js';
import { swarmRefusals } from './refusals.js';
import { ContainerUsageMeter } from './run-on-stack/agents.js';
import { describeSwarm, type OwnVersions } from './run-on-stack/describe-swarm.js';
import { setGateway, waitForServers } from './run-on-stack/gateway.js';
import { type RunningTask, runningTasks } from './run-on-stack/running-tasks.js';
import { returnToIdle, scaleForRun } from './run-on-stack/scale-for-run.js';
import { SwarmPlatformError } from './run-on-stack/swarm-platform-error.js';
import { reach, replicasOf, TARGET, type Target, targetOf } from './run-on-stack/target.js';
import { WORKERS, workersByService } from './run-on-stack/worker-count.js';
import { type Stack, type StackServices, servicesOf } from './stack/stack-objects.js';
import { waitConverged } from './stack/wait-converged.js';
import { StackWatch, type Watching } from './watch/stack-watch.js';

interface SwarmPlatformOptions {
  readonly engine: Engine;
  /** Name of the stack that this harness is part of. */
  readonly stack: string;
  /** The agents require it. */
  readonly apiToken: string | undefined;
  readonly versions: OwnVersions;
  /** Gets errors that happen after a run, when no caller waits for them any more. */
  readonly log: (line: string) => void;
}

interface SwarmPlatform extends Platform {
  /** To be run for as long as the harness lives. */
  readonly watch: StackWatch;
  /**
   * Returns to idle what an earlier, killed harness left scaled, unless this one has a run in progress.
   * @returns the names of the services it changed
   */
  returnToIdle(signal: AbortSignal): Promise<readonly string[]>;
}

const SCALE_MS = 120_000;
const TEARDOWN_MS = 45_000;
const WORKERS_END_MS = 40_000;
const POLL_MS = 200;

export function createSwarmPlatform(options: SwarmPlatformOptions): SwarmPlatform {
  const { engine, stack: name, log } = options;
  const stack: Stack = { engine, name };
  const faults = createInjector({
    ...stack,
    agents: new NodeAgents(stack, options.apiToken),
    isInside: true,
  });
  const watch = new StackWatch({ stack, apiToken: options.apiToken });
  let runs = 0;
  let returning: Promise<readonly string[]> = Promise.resolve([]);
  return {
    name: 'swarm',
    refusals: swarmRefusals,
    faults,
    watch,
    adopt(_plan, { untilMs }) {
      const watching = watch.watch(untilMs);
      const meter = new ContainerUsageMeter(roleOf);
      return { usage: async () => meter.samples(watching.readings()), news: () => watching.news() };
    },
    returnToIdle: (signal) => (returning = runs > 0 ? Promise.resolve([]) : returnToIdle(stack, signal)),
    async prepare(plan, context, signal) {
      // Otherwise services that are just returning to idle would lose what this run gives them.
      await returning.catch(() => undefined);
      const services = await servicesOf(stack, signal);
      const target = targetOf(plan, services, name);
      const workerCounts = workerCountsOf(plan, services, context);
      const tearDown = once(async () => {
        try {
          await scaleDown(stack, services, workerCounts);
        } catch (error) {
          log(`${context.runId}: could not return the stack ${name} to idle: ${messageOf(error)}`);
          throw error;
        } finally {
          runs -= 1;
        }
      });
      runs += 1;
      try {
        const tasks = await scaleUp(stack, services, target, workerCounts, signal);
        // A fault that cannot be injected must fail the run before the load starts.
        const { runId, runFolder } = context;
        const faultContext = { runId, runFolder, seed: plan.seed, sessions: new Map<string, number>() };
        for (const fault of plan.faults) await faults.inspect(fault, faultContext, signal);
        // Read again: images and labels are those of this run now.
        const current = await servicesOf(stack, signal);
        const prepared = { plan, stack, services: current, target: targetOf(plan, current, name), workerCounts, tasks };
        return new RunEnvironment(prepared, options, watch.watch(), tearDown);
      } catch (error) {
        await tearDown().catch(() => undefined);
        throw error;
      }
    },
  };
}

/** Number of workers by service; empty when the run uses workers that register by themselves. */
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
  const own = target.kind === 'service' ? target : undefined;
  const replicas = new Map([...workerCounts, ...(own === undefined ? [] : [[TARGET, own.replicas] as const])]);
  const gateway =
    own?.gateway === undefined ? undefined : await setGateway(stack, own.gateway, own.sticky, own.image, signal);
  const scaled = await scaleForRun(stack, replicas, own?.image, signal);
  const awaited = gateway === undefined ? scaled : [...scaled, gateway];
  await waitConverged(stack, awaited, { timeoutMs: SCALE_MS }, () => undefined, signal);
  if (own?.gateway !== undefined) await waitForServers(own.replicas, signal);
  return await runningTasks(stack, services, replicas.keys(), signal);
}

interface PreparedRun {
  readonly plan: Plan;
  readonly stack: Stack;
  readonly services: StackServices;
  readonly target: Target;
  readonly workerCounts: WorkerCounts;
  readonly tasks: readonly RunningTask[];
}

class RunEnvironment implements Environment {
  readonly endpoints: Environment['endpoints'];
  readonly preflightEndpoints?: NonNullable<Environment['preflightEndpoints']>;
  readonly arms?: NonNullable<Environment['arms']>;
  readonly expectedWorkers: number;
  readonly workerLogs: string;
  readonly replicas: readonly Replica[];
  readonly placeOf: NonNullable<Environment['placeOf']>;
  private readonly meter = new ContainerUsageMeter(roleOf);
  private readonly signal = new AbortController().signal;

  constructor(
    private readonly run: PreparedRun,
    private readonly options: SwarmPlatformOptions,
    private readonly watching: Watching,
    private readonly tearDown: () => Promise<void>,
  ) {
    const { stack, target, workerCounts, tasks } = run;
    this.replicas = replicasOf(target, tasks, stack);
    const arms = run.plan.arms?.map(
      ({ name, target: of }) =>
        [
          name,
          of.kind === 'url' ? { endpoints: urlEndpoints(of) } : this.reachOf('sticky' in of ? of.sticky : undefined),
        ] as const,
    );
    const { endpoints, preflightEndpoints } = arms?.[0]?.[1] ?? this.reachOf(undefined);
    this.endpoints = endpoints;
    if (preflightEndpoints !== undefined) this.preflightEndpoints = preflightEndpoints;
    if (arms !== undefined) this.arms = new Map(arms);
    this.expectedWorkers = [...workerCounts.values()].reduce((sum, count) => sum + count, 0);
    this.workerLogs = `\`swarmbench logs --stack ${stack.name} ${[...workerCounts.keys()].join(' ')}\``;
    const places = new Map<string, Place>(
      tasks
        .filter(({ service }) => workerCounts.has(service))
        .map(({ host, service, slot, task, node }) => [host, { service, slot, task, node }]),
    );
    this.placeOf = ({ host }) => places.get(host);
  }

  private reachOf(sticky: Stickiness | undefined): Reach {
    const { target } = this.run;
    return this.reach(sticky ?? (target.kind === 'service' ? target.sticky : 'session'));
  }

  reach(sticky: Stickiness): Reach {
    return reach(this.run.target, this.replicas, sticky, this.run.plan);
  }

  describe(): Promise<Readonly<Record<string, unknown>>> {
    return describeSwarm(this.run.stack, this.run.services, this.options.versions, this.signal);
  }

  async usage(): Promise<readonly UsageSample[]> {
    return this.meter.samples(this.watching.readings());
  }

  news(): Promise<News> {
    return this.watching.news();
  }

  async teardown(): Promise<void> {
    this.watching.end();
    await this.tearDown();
  }
}

/** Of a service in the usage of a run; undefined for one that is neither. */
function roleOf(service: string): UsageSample['role'] | undefined {
  if (service === TARGET) return 'target';
  return service.startsWith(WORKERS) ? 'worker' : undefined;
}

/**
 * Returns the stack to idle and waits until the processes of the workers are gone: they must not get in the way of the
 * next run.
 * @throws SwarmPlatformError WORKERS_LEFT
 */
async function scaleDown(stack: Stack, services: StackServices, workerCounts: WorkerCounts): Promise<void> {
  const signal = AbortSignal.timeout(TEARDOWN_MS);
  await returnToIdle(stack, signal);
  const ids = [...workerCounts.keys()].flatMap((name) => services.get(name)?.ID ?? []);
  let left: readonly Task[] = [];
  const look = async (): Promise<boolean> => {
    left = (await stack.engine.tasks.ofServices(ids, signal)).filter(
      ({ DesiredState, Status }) => DesiredState !== 'running' && Status.State === 'running',
    );
    return left.length === 0;
  };
  const late = (): SwarmPlatformError =>
    new SwarmPlatformError(
      'WORKERS_LEFT',
      `${left.length} workers of the stack ${stack.name} have not ended: tasks ${left.map(({ ID }) => ID).join(', ')}`,
      '`docker service ps` shows on which nodes they are',
    );
  await pollUntil(look, { everyMs: POLL_MS, withinMs: WORKERS_END_MS, late }, signal);
}

function once(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= act());
}
