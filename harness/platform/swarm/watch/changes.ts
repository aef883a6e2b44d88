/** What happened to a stack between two looks at it. Pure. */
import type { Notice } from '../../platform.js';
import type { Service, SwarmNode, Task } from '../engine/answers.js';
import { isOver, wantedReplicas } from '../stack/service-progress.js';
import { specChanges } from './spec-changes.js';

/** What the manager knows of a stack at one moment. */
export interface StackView {
  /** Epoch ms. */
  readonly atMs: number;
  /** By id. */
  readonly services: ReadonlyMap<string, { readonly name: string; readonly service: Service }>;
  /** By id, with older tasks of each slot. */
  readonly tasks: ReadonlyMap<string, Task>;
  /** By id. */
  readonly nodes: ReadonlyMap<string, SwarmNode>;
}

/** @param sinceMs tasks that `before` does not know count when they died after this, epoch ms */
export function changesBetween(before: StackView, now: StackView, sinceMs = before.atMs): readonly Notice[] {
  return [
    ...nodeChanges(before, now),
    ...serviceChanges(before, now),
    ...[...now.tasks.values()].flatMap((task) => taskChange(task, before, now, sinceMs)),
    ...goneTasks(before, now),
  ].toSorted((a, b) => Date.parse(a.happenedAt) - Date.parse(b.happenedAt));
}

// ---- tasks ----

/** `mcp-server.2`; a service that runs once on every node has no slots: `agent on n1`. */
export function taskName(task: Task, view: StackView): string {
  const service = view.services.get(task.ServiceID)?.name ?? task.ServiceID;
  return task.Slot === 0 ? `${service} on ${nodeName(task, view)}` : `${service}.${task.Slot}`;
}

function nodeName({ NodeID }: Task, { nodes }: StackView): string {
  return nodes.get(NodeID)?.Description.Hostname ?? NodeID;
}

function runs({ DesiredState, Status }: Task): boolean {
  return Status.State === 'running' && !isOver(DesiredState);
}

function taskChange(task: Task, before: StackView, now: StackView, sinceMs: number): readonly Notice[] {
  const earlier = before.tasks.get(task.ID);
  const { State, Timestamp } = task.Status;
  if (isOver(State)) {
    const isNews = earlier === undefined ? Date.parse(Timestamp) > sinceMs : !isOver(earlier.Status.State);
    return isNews ? [endOf(task, now)] : [];
  }
  if (runs(task) && (earlier === undefined || !runs(earlier))) {
    const isNews = earlier !== undefined || Date.parse(Timestamp) > sinceMs;
    return isNews ? [startOf(task, now)] : [];
  }
  const isDown = now.nodes.get(task.NodeID)?.Status.State === 'down';
  if (earlier !== undefined && runs(earlier) && !runs(task) && isDown) return [lostWithNode(task, now)];
  return [];
}

function noticeOf(task: Task, view: StackView): Pick<Notice, 'subject' | 'happenedAt'> & Partial<Notice> {
  const service = view.services.get(task.ServiceID)?.name;
  return {
    subject: taskName(task, view),
    node: nodeName(task, view),
    happenedAt: isoTime(task.Status.Timestamp, view),
    ...(service === undefined ? {} : { service }),
  };
}

function endOf(task: Task, view: StackView): Notice {
  const { State, Err, ContainerStatus } = task.Status;
  const about = noticeOf(task, view);
  const exitCode = ContainerStatus?.ExitCode ?? 0;
  if (State === 'shutdown' || State === 'remove')
    return { ...about, what: 'task-stopped', text: `${about.subject} was stopped` };
  if (State === 'complete')
    return {
      ...about,
      what: 'task-died',
      exitCode,
      text: `${about.subject} ended with exit code ${exitCode}, by itself or because it was unhealthy`,
    };
  if (State === 'orphaned')
    return { ...about, what: 'task-died', text: `${about.subject} was given up with its node ${about.node}` };
  if (exitCode === 0)
    return { ...about, what: 'task-died', text: `${about.subject} ${State}${Err === '' ? '' : `: ${Err}`}` };
  return { ...about, what: 'task-died', exitCode, text: `${about.subject} died with ${exitText(exitCode)}` };
}

const SIGNALS: Readonly<Record<number, string>> = { 1: 'HUP', 2: 'INT', 6: 'ABRT', 9: 'KILL', 11: 'SEGV', 15: 'TERM' };

/** `exit code 137 (SIGKILL)`: a shell's way to say that a signal ended it. */
export function exitText(exitCode: number): string {
  const signal = SIGNALS[exitCode - 128];
  return `exit code ${exitCode}${signal === undefined ? '' : ` (SIG${signal})`}`;
}

function startOf(task: Task, view: StackView): Notice {
  const about = noticeOf(task, view);
  const previous = [...view.tasks.values()]
    .filter((other) => other.ServiceID === task.ServiceID && other.ID !== task.ID)
    .filter((other) => (task.Slot === 0 ? other.NodeID === task.NodeID : other.Slot === task.Slot))
    .some((other) => other.CreatedAt < task.CreatedAt);
  const how = previous ? 'was replaced: a new task runs' : 'runs';
  return {
    ...about,
    what: 'task-started',
    text: `${about.subject} ${how}${task.Slot === 0 ? '' : ` on ${about.node}`}`,
  };
}

function lostWithNode(task: Task, view: StackView): Notice {
  const about = noticeOf(task, view);
  return {
    ...about,
    happenedAt: new Date(view.atMs).toISOString(),
    what: 'task-died',
    text: `${about.subject} was given up with its node ${about.node}, which is down`,
  };
}

/** The swarm forgets a task at once when its slot is scaled away. */
function goneTasks(before: StackView, now: StackView): readonly Notice[] {
  return [...before.tasks.values()]
    .filter((task) => runs(task) && !now.tasks.has(task.ID))
    .map((task) => {
      const about = { ...noticeOf(task, before), happenedAt: new Date(now.atMs).toISOString() };
      return { ...about, what: 'task-stopped', text: `${about.subject} was removed` };
    });
}

// ---- services ----

function serviceChanges(before: StackView, now: StackView): readonly Notice[] {
  return [...now.services].flatMap(([id, { name, service }]): readonly Notice[] => {
    const earlier = before.services.get(id)?.service;
    if (earlier === undefined || earlier.Version.Index === service.Version.Index) return [];
    const changes = specChanges(earlier.Spec, service.Spec);
    const about = { subject: name, service: name };
    return [
      ...(changes.length === 0
        ? []
        : [
            {
              ...about,
              what: 'service-changed' as const,
              happenedAt: isoTime(service.UpdatedAt, now),
              text: `${name} was changed: ${changes.join(', ')}`,
            },
          ]),
      ...updateChange(name, earlier, service, now),
    ];
  });
}

const UPDATE_ENDS: Readonly<Record<string, string>> = {
  completed: 'is complete',
  paused: 'is paused',
  rollback_completed: 'was rolled back',
  rollback_paused: 'could not be rolled back',
};

function updateChange(name: string, before: Service, { UpdateStatus }: Service, view: StackView): readonly Notice[] {
  if (UpdateStatus === undefined) return [];
  const { State, Message, StartedAt } = UpdateStatus;
  const was = before.UpdateStatus;
  if (State === was?.State && StartedAt === was.StartedAt) return [];
  const about = { subject: name, service: name };
  const reason = Message === '' || State === 'completed' ? '' : `: ${Message}`;
  const at = new Date(view.atMs).toISOString();
  if (State === 'updating')
    return [
      { ...about, what: 'update-started', happenedAt: isoTime(StartedAt, view), text: `an update of ${name} began` },
    ];
  if (State === 'rollback_started')
    return [
      { ...about, what: 'update-started', happenedAt: at, text: `the update of ${name} is rolled back${reason}` },
    ];
  const end = UPDATE_ENDS[State];
  if (end === undefined) return [];
  return [{ ...about, what: 'update-ended', happenedAt: at, text: `the update of ${name} ${end}${reason}` }];
}

// ---- nodes ----

function nodeChanges(before: StackView, now: StackView): readonly Notice[] {
  return [...now.nodes].flatMap(([id, node]): readonly Notice[] => {
    const earlier = before.nodes.get(id);
    if (earlier === undefined) return [];
    const name = node.Description.Hostname;
    const about = { subject: name, node: name, happenedAt: new Date(now.atMs).toISOString() };
    const [was, is] = [earlier.Status.State, node.Status.State];
    const availability = node.Spec.Availability;
    const leads = node.ManagerStatus?.Leader === true;
    return [
      ...(was === 'ready' && is !== 'ready'
        ? [{ ...about, what: 'node-down' as const, text: `node ${name} is ${is}${because(node)}` }]
        : []),
      ...(was !== 'ready' && is === 'ready'
        ? [{ ...about, what: 'node-back' as const, text: `node ${name} is ready again` }]
        : []),
      ...(availability === earlier.Spec.Availability
        ? []
        : [{ ...about, what: 'node-changed' as const, text: `node ${name} was set to ${availability}` }]),
      ...(leads && earlier.ManagerStatus?.Leader !== true
        ? [{ ...about, what: 'node-changed' as const, text: `node ${name} leads the managers` }]
        : []),
    ];
  });
}

function because({ Status: { Message } }: SwarmNode): string {
  return Message === '' ? '' : `: ${Message}`;
}

/** The engine's times have nanoseconds; one that is missing is that of the look. */
function isoTime(text: string | undefined, { atMs }: StackView): string {
  const at = Date.parse(text ?? '');
  return new Date(Number.isNaN(at) ? atMs : at).toISOString();
}

// ---- counts ----

export interface ServiceCount {
  readonly service: string;
  readonly wanted: number;
  readonly running: number;
}

/** Replicas of each replicated service of the stack. */
export function replicaCounts({ services, tasks }: StackView): readonly ServiceCount[] {
  return [...services.values()]
    .filter(({ service }) => service.Spec.Mode.Replicated !== undefined)
    .map(({ name, service }) => ({
      service: name,
      wanted: wantedReplicas(service),
      running: [...tasks.values()].filter((task) => task.ServiceID === service.ID && runs(task)).length,
    }));
}
