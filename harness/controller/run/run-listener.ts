import type { Telemetry } from '../../../client-sim/protocol/telemetry.js';
import { type SlotSet, splitSlots } from '../../../scenarios/schema/allocate.js';
import { clientsOf } from '../../analysis/facts/run-facts.js';
import { ControllerError } from '../../log/errors.js';
import { messageOf } from '../../support/error-message.js';
import type { RunListener, Worker } from '../workers/worker-registry.js';
import type { ActiveRun } from './active-run.js';
import { assignmentOrder, stopOrder } from './orders.js';
import { connectionsOf, type RunWorker } from './run-workers.js';
import type { IntakeResult } from './telemetry-intake.js';

/** How a run reacts to the messages of its workers, and to their silence. */
export function runListener(run: ActiveRun): RunListener {
  return {
    runId: run.id,
    clock: (worker) => recordClock(run, worker),
    saturated: (worker, reason) => void run.record({ type: 'worker.saturated', workerId: worker.id, reason }),
    recovered: (worker) => void run.record({ type: 'worker.recovered', workerId: worker.id }),
    lost: (worker, silentMs) => workerLost(run, worker, silentMs),
    returned: (worker) => workerReturned(run, worker),
    preflight: (_worker, result) => run.preflightArrived(result),
    opened: (worker) => void run.opened.add(worker.id),
    telemetry: (worker, batch, json) => takeBatch(run, worker, batch, json),
  };
}

export function recordClock(run: ActiveRun, worker: Worker): void {
  if (worker.clock) run.record({ type: 'worker.clock', workerId: worker.id, clock: worker.clock });
}

async function takeBatch(run: ActiveRun, worker: Worker, batch: Telemetry, json: string | undefined): Promise<number> {
  const { totals, now } = run.context;
  const taken = await run.intake
    .take(worker.id, batch, new Date(now()).toISOString(), json)
    .catch((error: unknown): IntakeResult => {
      // A batch refused once is refused for ever, so the run ends instead of waiting for data that cannot come.
      if (error instanceof ControllerError && error.code === 'TELEMETRY_REFUSED') endRun(run, error);
      throw error;
    });
  if (taken.kind === 'refused') return taken.acknowledged;
  totals.telemetryBatches += 1;
  totals.telemetryBytes += taken.bytes;
  if (taken.problem !== undefined) {
    const what = `worker ${worker.id}, batch ${batch.sequence}: ${messageOf(taken.problem)}`;
    endRun(run, new ControllerError('TELEMETRY_REFUSED', what));
  }
  if (batch.final) workerFinished(run, worker.id, batch);
  return taken.acknowledged;
}

function endRun(run: ActiveRun, error: ControllerError): void {
  if (run.failure === undefined) run.fail(error);
  run.stop('error', 'drain', error.message);
}

/** Also called for a last batch that the previous controller acknowledged. */
export function workerFinished(run: ActiveRun, workerId: string, batch: Telemetry): void {
  if (batch.final === undefined) return;
  const { reason, problem } = batch.final;
  const runWorker = run.workers.get(workerId);
  run.record({
    type: 'worker.finished',
    workerId,
    reason,
    lastSequence: batch.sequence,
    ...(problem === undefined ? {} : { problem }),
  });
  run.workers.end(workerId, reason);
  if (runWorker && !runWorker.replaced && (reason === 'lease-lost' || reason === 'failed')) {
    const why = problem ?? (reason === 'failed' ? 'it failed' : 'it could not reach the controller within its lease');
    applyLossPolicy(run, runWorker, `worker ${workerId} gave up: ${why}`);
  }
  run.endIfDone();
}

function workerLost(run: ActiveRun, worker: Worker, silentMs: number): void {
  const runWorker = run.workers.get(worker.id);
  // A worker that has sent its last batch, or never had any load, is not missed.
  if (run.start !== undefined && runWorker?.ended !== 'no') return;
  run.record({
    type: 'worker.lost',
    workerId: worker.id,
    lastHeardMs: Math.max(0, Math.round(run.tMs - silentMs)),
    silentMs: Math.round(silentMs),
    policy: run.plan.onWorkerLoss,
  });
  run.workers.end(worker.id, 'lost');
  if (runWorker) {
    const seconds = (silentMs / 1000).toFixed(1);
    applyLossPolicy(run, runWorker, `worker ${worker.id} on ${worker.registration.host} was silent for ${seconds} s`);
  }
  run.endIfDone();
}

/**
 * A lost worker is back. The run waits for it again, so that its measurements are not missing. If its slots were given
 * to other workers, it must stop.
 */
function workerReturned(run: ActiveRun, worker: Worker): void {
  if (run.workers.get(worker.id)?.ended !== 'lost') return;
  if (run.workers.revive(worker.id) === 'replaced') worker.orders.give(stopOrder(run.id, 'now'));
}

function applyLossPolicy(run: ActiveRun, lost: RunWorker, what: string): void {
  if (run.stopping.aborted || run.tMs >= run.endMs) return;
  const { onWorkerLoss } = run.plan;
  if (onWorkerLoss === 'fail') return run.stop('worker-loss', 'drain', `${what}; onWorkerLoss is fail`);
  if (run.workers.working().length === 0) return run.stop('worker-loss', 'drain', `${what}; no worker is left`);
  if (onWorkerLoss === 'continue') return;
  const problem = moveSlots(run, lost);
  if (problem !== undefined) run.stop('worker-loss', 'drain', `${what}; onWorkerLoss is replace, but ${problem}`);
}

/** Splits the slots of a lost worker over those that have room. Returns why that is not possible. */
function moveSlots(run: ActiveRun, lost: RunWorker): string | undefined {
  const { start, plan, workers } = run;
  const joinMs = Math.max(0, Math.ceil(run.tMs + run.context.timings.noticeMs));
  if (start === undefined || joinMs >= run.endMs) return undefined;
  const slots = workers.slotsOf(lost.worker.id);
  let takers = workers.working().filter(({ worker }) => worker.saturatedBy === undefined);
  // The fewer takers, the larger their parts. So start with all of them, and leave out those that have no room until
  // the rest fits.
  while (takers.length > 0) {
    const parts = splitSlots(slots, plan.profiles, takers.length);
    const withRoom = takers.filter((taker, index) => hasRoom(run, taker, parts[index] ?? []));
    if (withRoom.length < takers.length) {
      takers = withRoom;
      continue;
    }
    for (const [index, part] of parts.entries()) {
      const worker = takers[index]?.worker;
      if (worker === undefined || part.length === 0) continue;
      const assignment = { assignmentId: workers.nextAssignmentId(), slots: part };
      workers.assign(worker, assignment);
      run.record({ type: 'slots.moved', ...assignment, from: lost.worker.id, to: worker.id, joinMs });
      worker.orders.give(assignmentOrder(run.id, plan, start, worker.id, assignment, joinMs));
    }
    workers.replaced(lost.worker.id);
    return undefined;
  }
  return `none of the ${workers.working().length} other workers has room for its ${clientsOf(slots)} clients`;
}

function hasRoom(run: ActiveRun, { worker }: RunWorker, more: readonly SlotSet[]): boolean {
  const { capacity } = worker.registration;
  const all = [...run.workers.slotsOf(worker.id), ...more];
  return clientsOf(all) <= capacity.clients && connectionsOf(run.plan.profiles, all) <= capacity.connections;
}
