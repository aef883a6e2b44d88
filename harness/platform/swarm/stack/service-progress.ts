/**
 * The progress of a service, from what the engine says about it and its tasks. Pure. The rules are those of the Docker
 * CLI (cli/command/service/progress).
 */
import type { Service, Task } from '../engine/answers.js';

export interface ServiceProgress {
  /** With the stack's name in front. */
  readonly name: string;
  readonly running: number;
  /** For a global service: one for each node with a task, which are all nodes that fit, once the engine has looked. */
  readonly wanted: number;
  readonly state: ServiceState;
  /** The earliest state of a task that does not run yet, if there is one: `pending`, `preparing`, `starting` ... */
  readonly slowest: string | undefined;
  /** With the task's own message: `task 2 rejected: No such image: nope:1`. */
  readonly lastError: string | undefined;
}

type ServiceState = 'starting' | 'running' | 'updating' | 'paused' | 'rolling back' | 'rolled back';

/** A service with its tasks, both read at about the same moment. */
export interface ServiceView {
  readonly service: Service;
  /** Only those that fit the current spec of the service. */
  readonly tasks: readonly Task[];
  /** The update status is about an update that this deployment made, not about an earlier one. */
  readonly updateIsNew: boolean;
}

const STATES = [
  'new',
  'allocated',
  'pending',
  'assigned',
  'accepted',
  'preparing',
  'ready',
  'starting',
  'running',
  'complete',
  'shutdown',
  'failed',
  'rejected',
  'remove',
  'orphaned',
];

export function rank(state: string): number {
  return STATES.indexOf(state);
}

export function isOver(state: string): boolean {
  return rank(state) > rank('running');
}

/** @param activeNodes ids of nodes that are not down: tasks on others do not count */
export function progressOf(view: ServiceView, activeNodes: ReadonlySet<string>): ServiceProgress {
  const { service } = view;
  const current = [...currentTasks(view, activeNodes).values()];
  const running = current.filter((task) => counts(task, service)).length;
  const wanted = wantedOf(service, current);
  const notRunning = current
    .filter(({ Status }) => rank(Status.State) < rank('running'))
    .sort((a, b) => rank(a.Status.State) - rank(b.Status.State));
  return {
    name: service.Spec.Name,
    running,
    wanted,
    state: stateOf(view, running === wanted && (wanted > 0 || !isGlobal(service))),
    slowest: notRunning[0]?.Status.State,
    lastError: lastErrorOf(view.tasks),
  };
}

/** One task for each slot or node: the one whose desired state, then whose state, comes first in `STATES`. */
export function currentTasks(
  { service, tasks }: ServiceView,
  activeNodes: ReadonlySet<string>,
): ReadonlyMap<string, Task> {
  const best = new Map<string, Task>();
  for (const task of tasks) {
    if (isJob(service) && task.JobIteration?.Index !== service.JobStatus?.JobIteration?.Index) continue;
    if (task.NodeID !== '' && !activeNodes.has(task.NodeID)) continue;
    const slot = slotOf(task, service);
    const other = best.get(slot);
    if (other === undefined || compare(task, other) < 0) best.set(slot, task);
  }
  return best;
}

export function slotOf(task: Task, service: Service): string {
  return isGlobal(service) ? task.NodeID : String(task.Slot);
}

export function isJob({ Spec: { Mode } }: Service): boolean {
  return Mode.ReplicatedJob !== undefined || Mode.GlobalJob !== undefined;
}

export function isGlobal({ Spec: { Mode } }: Service): boolean {
  return Mode.Global !== undefined || Mode.GlobalJob !== undefined;
}

/** `task 2 rejected: No such image: nope:1`. */
export function describeTask({ Slot, Status: { State, Err, ContainerStatus } }: Task): string {
  const name = Slot === 0 ? 'task' : `task ${Slot}`;
  // A program that is stopped as unhealthy and then ends well leaves no other trace.
  if (State === 'complete')
    return `${name} ended with exit code ${ContainerStatus?.ExitCode ?? 0}, by itself or because it was unhealthy`;
  return `${name} ${State}: ${Err}`;
}

export function lastErrorOf(tasks: readonly Task[]): string | undefined {
  const newest = tasks
    .filter(({ Status }) => Status.Err !== '')
    .toSorted((a, b) => (a.Status.Timestamp < b.Status.Timestamp ? 1 : -1))[0];
  return newest === undefined ? undefined : describeTask(newest);
}

function compare(a: Task, b: Task): number {
  return (
    rank(a.DesiredState) - rank(b.DesiredState) ||
    rank(a.Status.State) - rank(b.Status.State) ||
    (a.CreatedAt < b.CreatedAt ? 1 : -1)
  );
}

function counts({ DesiredState, Status }: Task, service: Service): boolean {
  if (isJob(service)) return Status.State === 'complete';
  return !isOver(DesiredState) && Status.State === 'running';
}

function wantedOf(service: Service, current: readonly Task[]): number {
  const { Replicated, ReplicatedJob } = service.Spec.Mode;
  if (ReplicatedJob !== undefined) return ReplicatedJob.TotalCompletions ?? ReplicatedJob.MaxConcurrent ?? 1;
  if (Replicated !== undefined) return wantedReplicas(service);
  return current.filter(({ DesiredState }) => isJob(service) || !isOver(DesiredState)).length;
}

/** For a replicated service. The engine leaves the number out when it is 1. */
export function wantedReplicas({ Spec }: Pick<Service, 'Spec'>): number {
  return Spec.Mode.Replicated?.Replicas ?? 1;
}

function stateOf({ service, updateIsNew }: ServiceView, complete: boolean): ServiceState {
  const update = updateIsNew ? service.UpdateStatus?.State : undefined;
  switch (update) {
    case 'updating':
      return 'updating';
    case 'paused':
      return 'paused';
    case 'rollback_started':
      return 'rolling back';
    case 'rollback_paused':
    case 'rollback_completed':
      return 'rolled back';
    default:
      return complete ? 'running' : 'starting';
  }
}
