import { basename, join } from 'node:path';
import { pid } from 'node:process';
import { idShares } from '../../../client-sim/protocol/id-ranges.js';
import type { Telemetry } from '../../../client-sim/protocol/telemetry.js';
import { ControllerError } from '../../log/errors.js';
import { EventHistory, EventLog } from '../../log/event-log.js';
import { files, readSecrets } from '../../log/run-folder.js';
import { TelemetryLog } from '../../log/telemetry-log.js';
import type { StartedProgram } from '../../platform/platform.js';
import { newSecret } from '../../support/secret.js';
import { ActiveRun, type ControllerContext } from '../run/active-run.js';
import { adjustOrder, assignmentOrder } from '../run/orders.js';
import { settledRoutes } from '../run/routes.js';
import { runListener, workerFinished } from '../run/run-listener.js';
import type { Assignment } from '../run/run-workers.js';

interface Restored {
  readonly run: ActiveRun;
  readonly history: EventHistory;
  readonly programs: readonly StartedProgram[];
}

/** The run as its log describes it, ready to be resumed or ended. @throws ControllerError LOG_CORRUPT, NOT_ADOPTABLE */
export async function restore(folder: string, context: ControllerContext): Promise<Restored> {
  const { log, events } = await EventLog.reopen(join(folder, files.events), context.now);
  const history = new EventHistory(events);
  const created = history.last('run.created');
  if (created === undefined) throw new ControllerError('NOT_ADOPTABLE', `${log.path} does not begin with run.created`);
  // Without the file the run cannot be resumed, only ended.
  const tokens = (await readSecrets(folder).catch(() => undefined))?.run ?? {
    worker: newSecret(),
    operator: newSecret(),
  };
  const run = new ActiveRun(basename(folder), folder, created.plan, log, tokens, context);
  const startAt = history.last('run.started')?.startAt;
  for (const event of history.events) run.aggregate.addEvent(event, startAt);
  return { run, history, programs: history.all('program.started').map((event) => event.program) };
}

/**
 * Resumes a run whose load has begun: its workers, their assignments, and the telemetry that they have delivered. The
 * workers have the length of their lease to return.
 * @throws ControllerError CONTROLLER_LOST when the load had not begun; NOT_ADOPTABLE when its secrets are gone
 */
export async function resume(run: ActiveRun, history: EventHistory): Promise<void> {
  const started = history.last('run.started');
  const passed = history.last('preflight.passed');
  if (started === undefined || passed === undefined)
    throw new ControllerError(
      'CONTROLLER_LOST',
      `the controller ended while the run was ${run.state.kind}; a run cannot be continued before its load has begun`,
      'Run it again.',
    );
  const secrets = await readSecrets(run.folder);
  const pinned = passed.routes?.map((route) => route.pinned) ?? [passed.pinned];
  const workers = history.all('worker.registered');
  const start = {
    startAt: started.startAt,
    idShares: idShares(workers.map(({ workerId: id, worker: { threads } }) => ({ id, threads }))),
    ...settledRoutes(secrets.endpoints, secrets.routes ?? [], pinned),
    settledOperations: passed.settledOperations ?? [],
  };
  run.resumeLoad(start, history);
  run.record({ type: 'run.adopted', pid });
  restoreWorkers(run, history, secrets.workers);
  await restoreTelemetry(run, history);
  repeatOrders(run, history);
  const stop = history.last('stop.requested');
  if (stop) run.resumeStop(stop.reason, stop.mode);
}

function restoreWorkers(run: ActiveRun, history: EventHistory, tokens: Readonly<Record<string, string>>): void {
  const { registry, timings } = run.context;
  const listener = runListener(run);
  const assigned = assignments(history);
  const startedHere = history.all('program.started').some(({ program }) => program.role === 'worker');
  const startedFor = startedHere ? run.id : undefined;
  for (const { workerId, worker: registration } of history.all('worker.registered')) {
    const token = tokens[workerId];
    if (token === undefined) continue;
    const clock = history.all('worker.clock').findLast((event) => event.workerId === workerId)?.clock;
    registry.restore({ id: workerId, token, registration, startedFor, clock }, timings.leaseMs);
    const worker = registry.assignTo(workerId, listener);
    for (const { to, assignmentId, slots } of assigned)
      if (to === workerId) run.workers.assign(worker, { assignmentId, slots });
  }
  for (const { from } of history.all('slots.moved')) run.workers.replaced(from);
  for (const { workerId } of history.all('worker.lost')) run.workers.end(workerId, 'lost');
  for (const { workerId, reason } of history.all('worker.finished')) run.workers.end(workerId, reason);
}

async function restoreTelemetry(run: ActiveRun, history: EventHistory): Promise<void> {
  const logged = new Set(history.all('worker.finished').map((event) => event.workerId));
  const unlogged: { readonly workerId: string; readonly batch: Telemetry }[] = [];
  const log = await TelemetryLog.reopen(join(run.folder, files.telemetry), (line) => {
    run.intake.restore(line);
    if (line.batch.final && !logged.has(line.workerId)) unlogged.push(line);
  });
  run.intake.open(log);
  // The previous controller acknowledged these last batches but died before it could log that the workers had finished.
  for (const { workerId, batch } of unlogged) workerFinished(run, workerId, batch);
}

/** Orders carry ids, so a worker that already has them ignores them. */
function repeatOrders(run: ActiveRun, history: EventHistory): void {
  const { start, plan } = run;
  if (start === undefined) return;
  for (const { to, joinMs, assignmentId, slots } of assignments(history)) {
    const runWorker = run.workers.get(to);
    if (runWorker?.ended === 'no')
      runWorker.worker.orders.give(assignmentOrder(run.id, plan, start, to, { assignmentId, slots }, joinMs));
  }
  for (const event of history.all('load.adjusted')) run.workers.sendToAll(adjustOrder(run.id, event));
}

interface LoggedAssignment extends Assignment {
  /** Worker id. */
  readonly to: string;
  readonly joinMs: number;
}

function assignments(history: EventHistory): readonly LoggedAssignment[] {
  const first = history
    .all('run.started')
    .flatMap((event) => event.assignments.map(({ workerId, ...rest }) => ({ to: workerId, joinMs: 0, ...rest })));
  return [...first, ...history.all('slots.moved')];
}
