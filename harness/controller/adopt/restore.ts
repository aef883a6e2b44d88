import { basename, join } from 'node:path';
import { pid } from 'node:process';
import type { StartedProgram } from '../../platform/platform.js';
import { ControllerError } from '../errors.js';
import { EventLog } from '../log/event-log.js';
import { files, readSecrets } from '../log/run-folder.js';
import { TelemetryLog } from '../log/telemetry-log.js';
import { RunCore, type Shared } from '../run/core.js';
import type { Assignment } from '../run/crew.js';
import { employer, finish } from '../run/employer.js';
import { adjustOrder, assignmentOrder } from '../run/orders.js';
import { runRoutes } from '../run/routes.js';
import { Past } from './past.js';

export interface Restored {
  readonly core: RunCore;
  readonly past: Past;
  readonly programs: readonly StartedProgram[];
}

/** The run as its log tells it, ready to be continued or ended. @throws ControllerError LOG_CORRUPT, NOT_ADOPTABLE */
export async function restore(folder: string, shared: Shared): Promise<Restored> {
  const { log, events } = await EventLog.reopen(join(folder, files.events), shared.now);
  const past = new Past(events);
  const created = past.last('run.created');
  if (created === undefined) throw new ControllerError('NOT_ADOPTABLE', `${log.path} does not begin with run.created`);
  const core = new RunCore(basename(folder), folder, created.plan, log, shared);
  core.aggregate.knowReplicas(
    [...past.all('target.ready'), ...past.all('replicas.changed')].flatMap(({ replicas }) => replicas),
  );
  for (const { atMs, samples } of past.all('usage')) core.aggregate.addUsage(atMs, samples);
  return { core, past, programs: past.all('program.started').map((event) => event.program) };
}

/**
 * Takes up a run whose load has begun: its workers, what they were given, what they have delivered. They have the
 * length of their lease to be heard.
 * @throws ControllerError NOT_ADOPTABLE when the load had not begun, or what is needed to go on is gone
 */
export async function takeUp(core: RunCore, past: Past): Promise<void> {
  const { timings, now } = core.shared;
  const started = past.last('run.started');
  const passed = past.last('preflight.passed');
  if (started === undefined || passed === undefined) {
    const { kind } = core.log.state;
    throw new ControllerError(
      'CONTROLLER_LOST',
      `the controller ended while the run was ${kind}: before its load began, a run cannot be continued`,
      'Run it again.',
    );
  }
  const secrets = await readSecrets(core.folder);
  core.start = {
    startAt: started.startAt,
    ...runRoutes(
      secrets.endpoints,
      secrets.routes ?? [],
      passed.routes?.map(({ pinned }) => pinned) ?? [passed.pinned],
    ),
    settledOperations: passed.settledOperations ?? [],
  };
  core.deadline =
    Math.max(started.startAt + core.endMs + core.plan.drainMs, now() + timings.leaseMs) + timings.lastBatchesMs;
  for (const event of past.events) core.took(event);
  core.record({ type: 'run.adopted', pid });
  hire(core, past, secrets.workers);
  await recall(core, past);
  repeatOrders(core, past);
  const stop = past.last('stop.requested');
  if (stop) core.resumeStop(stop.reason, stop.mode);
}

function hire(core: RunCore, past: Past, tokens: Readonly<Record<string, string>>): void {
  const { registry, timings } = core.shared;
  const boss = employer(core);
  const given = assignments(past);
  for (const { workerId, worker: registration } of past.all('worker.registered')) {
    const token = tokens[workerId];
    if (token === undefined) continue;
    const clock = past.all('worker.clock').findLast((event) => event.workerId === workerId)?.clock;
    registry.restore({ id: workerId, token, registration, clock }, timings.leaseMs);
    const worker = registry.employ(workerId, boss);
    for (const { to, assignmentId, slots } of given)
      if (to === workerId) core.crew.assign(worker, { assignmentId, slots });
  }
  for (const { from } of past.all('slots.moved')) core.crew.replaced(from);
  for (const { workerId } of past.all('worker.lost')) core.crew.end(workerId, 'lost');
  for (const { workerId, reason } of past.all('worker.finished')) core.crew.end(workerId, reason);
}

async function recall(core: RunCore, past: Past): Promise<void> {
  const known = new Set(past.all('worker.finished').map((event) => event.workerId));
  const ended: Parameters<typeof finish>[] = [];
  const log = await TelemetryLog.reopen(join(core.folder, files.telemetry), (line) => {
    core.intake.restore(line);
    if (line.batch.final && !known.has(line.workerId)) ended.push([core, line.workerId, line.batch]);
  });
  core.intake.open(log);
  // Acknowledged by the controller before this one, which died before it could say that the worker had finished.
  for (const args of ended) finish(...args);
}

/** Orders carry ids, so a worker that has them already ignores them. */
function repeatOrders(core: RunCore, past: Past): void {
  const { start, plan } = core;
  if (start === undefined) return;
  for (const { to, joinMs, assignmentId, slots } of assignments(past)) {
    const member = core.crew.get(to);
    if (member?.ended === 'no')
      member.worker.orders.give(assignmentOrder(core.id, plan, start, to, { assignmentId, slots }, joinMs));
  }
  for (const event of past.all('load.adjusted')) core.crew.tell(adjustOrder(core.id, event));
}

interface Given extends Assignment {
  readonly to: string;
  readonly joinMs: number;
}

function assignments(past: Past): readonly Given[] {
  const first = past
    .all('run.started')
    .flatMap((event) => event.assignments.map(({ workerId, ...rest }) => ({ to: workerId, joinMs: 0, ...rest })));
  return [...first, ...past.all('slots.moved')];
}
