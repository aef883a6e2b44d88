import { basename, join } from 'node:path';
import { pid } from 'node:process';
import { ControllerError } from '../../log/errors.js';
import { EventHistory, EventLog } from '../../log/event-log.js';
import { files, readSecrets } from '../../log/run-folder.js';
import { TelemetryLog } from '../../log/telemetry-log.js';
import type { StartedProgram } from '../../platform/platform.js';
import { type ControllerContext, RunCore } from '../run/active-run.js';
import { adjustOrder, assignmentOrder } from '../run/orders.js';
import { settledRoutes } from '../run/routes.js';
import { runListener, workerFinished } from '../run/run-listener.js';
import type { Assignment } from '../run/run-workers.js';

interface Restored {
  readonly core: RunCore;
  readonly history: EventHistory;
  readonly programs: readonly StartedProgram[];
}

/** The run as its log tells it, ready to be continued or ended. @throws ControllerError LOG_CORRUPT, NOT_ADOPTABLE */
export async function restore(folder: string, shared: ControllerContext): Promise<Restored> {
  const { log, events } = await EventLog.reopen(join(folder, files.events), shared.now);
  const history = new EventHistory(events);
  const created = history.last('run.created');
  if (created === undefined) throw new ControllerError('NOT_ADOPTABLE', `${log.path} does not begin with run.created`);
  const core = new RunCore(basename(folder), folder, created.plan, log, shared);
  core.aggregate.registerReplicas(
    [...history.all('target.ready'), ...history.all('replicas.changed')].flatMap(({ replicas }) => replicas),
  );
  for (const { atMs, samples } of history.all('usage')) core.aggregate.addUsage(atMs, samples);
  return { core, history, programs: history.all('program.started').map((event) => event.program) };
}

/**
 * Takes up a run whose load has begun: its workers, what they were given, what they have delivered. They have the
 * length of their lease to be heard.
 * @throws ControllerError NOT_ADOPTABLE when the load had not begun, or what is needed to go on is gone
 */
export async function resume(core: RunCore, history: EventHistory): Promise<void> {
  const { timings, now } = core.shared;
  const started = history.last('run.started');
  const passed = history.last('preflight.passed');
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
    ...settledRoutes(
      secrets.endpoints,
      secrets.routes ?? [],
      passed.routes?.map(({ pinned }) => pinned) ?? [passed.pinned],
    ),
    settledOperations: passed.settledOperations ?? [],
  };
  core.deadline =
    Math.max(started.startAt + core.endMs + core.plan.drainMs, now() + timings.leaseMs) + timings.lastBatchesMs;
  for (const event of history.events) core.addToAggregate(event);
  core.record({ type: 'run.adopted', pid });
  restoreWorkers(core, history, secrets.workers);
  await restoreTelemetry(core, history);
  repeatOrders(core, history);
  const stop = history.last('stop.requested');
  if (stop) core.resumeStop(stop.reason, stop.mode);
}

function restoreWorkers(core: RunCore, history: EventHistory, tokens: Readonly<Record<string, string>>): void {
  const { registry, timings } = core.shared;
  const listener = runListener(core);
  const given = assignments(history);
  for (const { workerId, worker: registration } of history.all('worker.registered')) {
    const token = tokens[workerId];
    if (token === undefined) continue;
    const clock = history.all('worker.clock').findLast((event) => event.workerId === workerId)?.clock;
    registry.restore({ id: workerId, token, registration, clock }, timings.leaseMs);
    const worker = registry.assignTo(workerId, listener);
    for (const { to, assignmentId, slots } of given)
      if (to === workerId) core.runWorkers.assign(worker, { assignmentId, slots });
  }
  for (const { from } of history.all('slots.moved')) core.runWorkers.replaced(from);
  for (const { workerId } of history.all('worker.lost')) core.runWorkers.end(workerId, 'lost');
  for (const { workerId, reason } of history.all('worker.finished')) core.runWorkers.end(workerId, reason);
}

async function restoreTelemetry(core: RunCore, history: EventHistory): Promise<void> {
  const known = new Set(history.all('worker.finished').map((event) => event.workerId));
  const ended: Parameters<typeof workerFinished>[] = [];
  const log = await TelemetryLog.reopen(join(core.folder, files.telemetry), (line) => {
    core.intake.restore(line);
    if (line.batch.final && !known.has(line.workerId)) ended.push([core, line.workerId, line.batch]);
  });
  core.intake.open(log);
  // Acknowledged by the controller before this one, which died before it could say that the worker had finished.
  for (const args of ended) workerFinished(...args);
}

/** Orders carry ids, so a worker that has them already ignores them. */
function repeatOrders(core: RunCore, history: EventHistory): void {
  const { start, plan } = core;
  if (start === undefined) return;
  for (const { to, joinMs, assignmentId, slots } of assignments(history)) {
    const runWorker = core.runWorkers.get(to);
    if (runWorker?.ended === 'no')
      runWorker.worker.orders.give(assignmentOrder(core.id, plan, start, to, { assignmentId, slots }, joinMs));
  }
  for (const event of history.all('load.adjusted')) core.runWorkers.sendToAll(adjustOrder(core.id, event));
}

interface GivenAssignment extends Assignment {
  readonly to: string;
  readonly joinMs: number;
}

function assignments(history: EventHistory): readonly GivenAssignment[] {
  const first = history
    .all('run.started')
    .flatMap((event) => event.assignments.map(({ workerId, ...rest }) => ({ to: workerId, joinMs: 0, ...rest })));
  return [...first, ...history.all('slots.moved')];
}
