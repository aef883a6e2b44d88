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

/** Tells a service that will not come up from one that needs time. Remembers what it saw; time is an argument. */

export interface Patience {
  /** A task without a node: ports and room may still be held by tasks that are stopping. */
  readonly pendingMs: number;
  /** A slot whose task has ended, beyond the delay after which the engine starts the next one, if any. */
  readonly endedMs: number;
  /** Tasks of one slot that may fail. */
  readonly failures: number;
}

export const PATIENCE: Patience = { pendingMs: 10_000, endedMs: 3_000, failures: 3 };

/** The engine's own, where a service says nothing. */
const RESTART_DELAY_NS = 5e9;

export class StuckDetector {
  private readonly failed = new Map<string, Set<string>>();
  private readonly old = new Set<string>();
  private readonly seen = new Set<string>();
  private readonly since = new Map<string, number>();

  constructor(private readonly patience: Patience) {}

  /** Why it will not come up, in the task's own words; undefined while there is hope. */
  look(
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
      const words =
        this.waiting(task, nowMs) ?? (watchedByEngine || isJob(service) ? undefined : this.ended(task, view, nowMs));
      if (words !== undefined) return words;
    }
    const nowhere = isGlobal(service) && current.size === 0;
    return this.lasts(`${service.ID}:nowhere`, nowhere, this.patience.pendingMs, nowMs)
      ? 'no active node fits its constraints'
      : undefined;
  }

  /** Failures from before the first look are not held against it: the cause may be mended since. */
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

/** What to do about the words of a task. */
const hints: readonly (readonly [RegExp, string])[] = [
  [
    /no such image: \S+[.:]\S*\/|no basic auth credentials|unauthorized/i,
    '`swarmbench images` makes our images; other nodes get them with --load or --push. A registry that wants a login: `docker login` here, and --with-registry-auth',
  ],
  [
    /no such image|pull access denied|manifest unknown|not found: manifest/i,
    '`swarmbench images` makes our images (`--offline` where nothing can be pulled); other nodes get them with --load or --push',
  ],
  [
    /host-mode port already in use/i,
    'another service of this swarm publishes that port on the same node: `docker service ls` shows which',
  ],
  [/address already in use/i, 'another program on that node listens on the port; stop it, or publish another port'],
  [/insufficient resources/i, 'lower the reservations of the service, or add nodes'],
  [
    /scheduling constraints not satisfied|no active node fits/i,
    'no node fits `deploy.placement.constraints`: `docker node ls`, `docker node update --label-add`',
  ],
  [/max replicas per node/i, 'more replicas than `max_replicas_per_node` allows on these nodes'],
  [/not available for new tasks/i, 'a node is drained or paused: `docker node update --availability active NODE`'],
  [/bind source path does not exist/i, 'the folder must exist on the node that runs the task'],
  [/exit \(137\)/, 'killed, perhaps for want of memory: look at the limits of the service'],
  [/setting rlimit/i, 'the engine cannot raise its limits that far: lower `ulimits`'],
];

export function hintFor(words: string, service: string): string {
  return (
    hints.find(([pattern]) => pattern.test(words))?.[1] ??
    `\`docker service logs ${service}\` or \`swarmbench logs\` shows what it wrote`
  );
}
