import type { Task } from '../engine/answers.js';
import {
  currentTasks,
  describeTask,
  isGlobal,
  isJob,
  rank,
  type ServiceProgress,
  type ServiceView,
  slotOf,
} from './service-progress.js';

export interface Patience {
  /** How long a task may be without a node: tasks that are stopping may still hold ports and resources. */
  readonly pendingMs: number;
  /** How long a slot may be without a task, beyond the delay after which the engine starts the next one. */
  readonly endedMs: number;
  /** How many tasks of one slot may fail. */
  readonly failures: number;
}

export const PATIENCE: Patience = { pendingMs: 10_000, endedMs: 3_000, failures: 3 };

/** The engine's default. */
const RESTART_DELAY_NS = 5e9;

/** Detects services that will never come up. Remembers what it has seen; time is an argument. */
export class StuckDetector {
  private readonly failed = new Map<string, Set<string>>();
  private readonly old = new Set<string>();
  private readonly seen = new Set<string>();
  private readonly since = new Map<string, number>();

  constructor(private readonly patience: Patience) {}

  /** Why the service will not come up, with the task's own message; undefined while there is hope. */
  check(
    view: ServiceView,
    progress: ServiceProgress,
    activeNodes: ReadonlySet<string>,
    nowMs: number,
  ): string | undefined {
    const { service } = view;
    const current = currentTasks(view, activeNodes);
    const failing = this.failing(view, activeNodes.size);
    // While it rolls out, the engine itself watches for failures, and pauses or rolls back.
    const watchedByEngine = progress.state === 'updating' && service.Spec.UpdateConfig?.FailureAction !== 'continue';
    if (failing !== undefined && !watchedByEngine) return failing;
    if (progress.running >= progress.wanted && progress.wanted > 0) return this.forget(service.ID);
    for (const task of current.values()) {
      const trouble =
        this.waiting(task, nowMs) ?? (watchedByEngine || isJob(service) ? undefined : this.ended(task, view, nowMs));
      if (trouble !== undefined) return trouble;
    }
    const nowhere = isGlobal(service) && current.size === 0;
    return this.lasts(`${service.ID}:nowhere`, nowhere, this.patience.pendingMs, nowMs)
      ? 'no active node fits its constraints'
      : undefined;
  }

  /** Failures from before the first check do not count: their cause may be fixed by now. */
  private failing({ service, tasks }: ServiceView, nodes: number): string | undefined {
    const first = !this.seen.has(service.ID);
    this.seen.add(service.ID);
    for (const task of tasks.filter(
      ({ Status }) =>
        Status.State === 'failed' || Status.State === 'rejected' || (Status.State === 'complete' && !isJob(service)),
    )) {
      if (first) this.old.add(task.ID);
      if (this.old.has(task.ID) || rank(task.DesiredState) > rank('shutdown')) continue;
      const slot = `${service.ID}:${slotOf(task, service)}`;
      const failed = this.failed.get(slot) ?? new Set();
      this.failed.set(slot, failed.add(task.ID));
      // A node that lacks the image rejects what another one may run.
      const most = task.Status.State === 'rejected' ? this.patience.failures * nodes : this.patience.failures;
      if (failed.size >= most) return `${describeTask(task)} (${failed.size} times)`;
    }
    return undefined;
  }

  private waiting(task: Task, nowMs: number): string | undefined {
    const waits = task.Status.State === 'pending' && task.Status.Err !== '';
    return this.lasts(`${task.ID}:pending`, waits, this.patience.pendingMs, nowMs) ? describeTask(task) : undefined;
  }

  private ended(task: Task, { service }: ServiceView, nowMs: number): string | undefined {
    const over = ['failed', 'rejected', 'complete'].includes(task.Status.State);
    const { Condition, Delay = RESTART_DELAY_NS } = service.Spec.TaskTemplate.RestartPolicy ?? {};
    const delayMs = Condition === 'none' ? 0 : Delay / 1e6;
    return this.lasts(`${task.ID}:ended`, over, delayMs + this.patience.endedMs, nowMs)
      ? `${describeTask(task)}, and it is not started again`
      : undefined;
  }

  private lasts(what: string, holds: boolean, forMs: number, nowMs: number): boolean {
    if (!holds) {
      this.since.delete(what);
      return false;
    }
    const since = this.since.get(what) ?? nowMs;
    this.since.set(what, since);
    return nowMs - since >= forMs;
  }

  private forget(serviceId: string): undefined {
    for (const key of this.since.keys()) if (key.startsWith(serviceId)) this.since.delete(key);
  }
}

/** Hints by the message of a task. */
const hints: readonly (readonly [RegExp, string])[] = [
  [
    /no such image: \S+[.:]\S*\/|no basic auth credentials|unauthorized/i,
    '`swarmbench images` builds our images; other nodes get them with --load or --push. If the registry asks for a ' +
      'login, run `docker login` here and use --with-registry-auth',
  ],
  [
    /no such image|pull access denied|manifest unknown|not found: manifest/i,
    '`swarmbench images` builds our images; other nodes get them with --load or --push',
  ],
  [
    /host-mode port already in use/i,
    'another service of this swarm publishes that port on the same node: `docker service ls` shows which',
  ],
  [/address already in use/i, 'another program on that node listens on the port; stop it, or publish another port'],
  [/insufficient resources/i, 'lower the resource reservations of the service, or add nodes'],
  [
    /scheduling constraints not satisfied|no active node fits/i,
    'no node fits `deploy.placement.constraints`; see `docker node ls` and `docker node update --label-add`',
  ],
  [/max replicas per node/i, 'there are more replicas than `max_replicas_per_node` allows on these nodes'],
  [
    /not available for new tasks/i,
    'a node is drained or paused; `docker node update --availability active NODE` makes it available',
  ],
  [/bind source path does not exist/i, 'the folder must exist on the node that runs the task'],
  [/exit \(137\)/, 'the task was killed, perhaps because it ran out of memory; check the limits of the service'],
  [/setting rlimit/i, 'the engine cannot raise its limits that far; lower `ulimits`'],
];

export function hintFor(trouble: string, service: string): string {
  const known = hints.find(([pattern]) => pattern.test(trouble))?.[1];
  return known ?? `see what it wrote with \`docker service logs ${service}\` or \`swarmbench logs\``;
}
