import type { Telemetry } from '../../../client-sim/protocol/telemetry.js';
import { splitSlots } from '../../../scenarios/schema/allocate.js';
import { ControllerError, messageOf } from '../../log/errors.js';
import type { RunListener, Worker } from '../workers/worker-registry.js';
import type { RunCore } from './active-run.js';
import { assignmentOrder, stopOrder } from './orders.js';
import { clientsOf, connectionsOf, type RunWorker } from './run-workers.js';
import type { IntakeResult } from './telemetry-intake.js';

/** What a run does about what its workers say, or fail to say. */
export function runListener(run: RunCore): RunListener {
  return {
    runId: run.id,
    clock: (worker) => recordClock(run, worker),
    saturated: (worker, reason) => void run.record({ type: 'worker.saturated', workerId: worker.id, reason }),
    recovered: (worker) => void run.record({ type: 'worker.recovered', workerId: worker.id }),
    lost: (worker, silentMs) => workerLost(run, worker, silentMs),
    returned: (worker) => workerReturned(run, worker),
    preflight: (_worker, result) => run.preflightAnswer?.(result),
    telemetry: (worker, batch) => takeBatch(run, worker, batch),
  };
}

export function recordClock(run: RunCore, worker: Worker): void {
  if (worker.clock) run.record({ type: 'worker.clock', workerId: worker.id, clock: worker.clock });
}

async function takeBatch(run: RunCore, worker: Worker, batch: Telemetry): Promise<number> {
  const { totals, now } = run.shared;
  const taken = await run.intake
    .take(worker.id, batch, new Date(now()).toISOString())
    .catch((error: unknown): IntakeResult => {
      // A refused batch will be refused for ever: better to end the run and say so than to wait for what cannot come.
      if (error instanceof ControllerError && error.code === 'TELEMETRY_REFUSED') giveUp(run, error);
      throw error;
    });
  if (taken.kind === 'refused') return taken.acknowledged;
  totals.telemetryBatches += 1;
  totals.telemetryBytes += taken.bytes;
  if (taken.problem !== undefined)
    giveUp(
      run,
      new ControllerError(
        'TELEMETRY_REFUSED',
        `worker ${worker.id}, batch ${batch.sequence}: ${messageOf(taken.problem)}`,
      ),
    );
  if (batch.final) workerFinished(run, worker.id, batch);
  return taken.acknowledged;
}

function giveUp(run: RunCore, error: ControllerError): void {
  if (run.failure === undefined) run.fail(error);
  run.stop('error', 'drain', error.message);
}

/** Also for a last batch that was read back from the log of a controller before this one. */
export function workerFinished(run: RunCore, workerId: string, batch: Telemetry): void {
  if (batch.final === undefined) return;
  const { reason, problem } = batch.final;
  const runWorker = run.runWorkers.get(workerId);
  run.record({
    type: 'worker.finished',
    workerId,
    reason,
    lastSequence: batch.sequence,
    ...(problem === undefined ? {} : { problem }),
  });
  run.runWorkers.end(workerId, reason);
  if (runWorker && !runWorker.replaced && (reason === 'lease-lost' || reason === 'failed')) {
    workerGaveUp(
      run,
      runWorker,
      problem ?? (reason === 'failed' ? 'it failed' : 'it could not reach the controller for the length of its lease'),
    );
  }
  run.endIfDone();
}

/** A worker has not been heard of for too long. */
function workerLost(run: RunCore, worker: Worker, silentMs: number): void {
  const runWorker = run.runWorkers.get(worker.id);
  // A worker that has sent its last batch, or never had any load, is not missed.
  if (run.start !== undefined && runWorker?.ended !== 'no') return;
  const { onWorkerLoss } = run.plan;
  const lastHeardMs = Math.max(0, Math.round(run.tMs - silentMs));
  run.record({
    type: 'worker.lost',
    workerId: worker.id,
    lastHeardMs,
    silentMs: Math.round(silentMs),
    policy: onWorkerLoss,
  });
  run.runWorkers.end(worker.id, 'lost');
  if (runWorker)
    applyPolicy(
      run,
      runWorker,
      `worker ${worker.id} on ${worker.registration.host} was not heard of for ${(silentMs / 1000).toFixed(1)} s`,
    );
  run.endIfDone();
}

/** A worker has ended its part before the end of the run, and said so. */
function workerGaveUp(run: RunCore, runWorker: RunWorker, why: string): void {
  applyPolicy(run, runWorker, `worker ${runWorker.worker.id} gave up: ${why}`);
}

/**
 * A lost worker is back. It is waited for again, so that what it measured is not missing; where its slots were moved it
 * must not go on with them.
 */
function workerReturned(run: RunCore, worker: Worker): void {
  if (run.runWorkers.get(worker.id)?.ended !== 'lost') return;
  if (run.runWorkers.revive(worker.id) === 'replaced') worker.orders.give(stopOrder(run.id, 'now'));
}

function applyPolicy(run: RunCore, runWorker: RunWorker, what: string): void {
  if (run.stopping.signal.aborted || run.tMs >= run.endMs) return;
  const { onWorkerLoss } = run.plan;
  if (onWorkerLoss === 'fail') return run.stop('worker-loss', 'drain', `${what}; onWorkerLoss is fail`);
  if (run.runWorkers.working().length === 0) return run.stop('worker-loss', 'drain', `${what}; no worker is left`);
  if (onWorkerLoss === 'continue') return;
  const problem = moveSlots(run, runWorker);
  if (problem !== undefined) run.stop('worker-loss', 'drain', `${what}; onWorkerLoss is replace, but ${problem}`);
}

/** Deals the slots of a worker that is gone to those with room. Returns why that is not possible. */
function moveSlots(run: RunCore, from: RunWorker): string | undefined {
  const { start, plan, runWorkers } = run;
  const joinMs = Math.max(0, Math.ceil(run.tMs + run.shared.timings.noticeMs));
  if (start === undefined || joinMs >= run.endMs) return undefined;
  const slots = runWorkers.slotsOf(from.worker.id);
  const takers = runWorkers.working().filter((runWorker) => runWorker.worker.saturatedBy === undefined);
  // With fewer takers each takes more, so try all of them first; drop those that have no room until the rest fits.
  for (let fit = takers; fit.length > 0; ) {
    const parts = splitSlots(slots, plan.profiles, fit.length);
    const withRoom = fit.filter((runWorker, index) => hasRoom(run, runWorker, parts[index] ?? []));
    if (withRoom.length < fit.length) {
      fit = withRoom;
      continue;
    }
    for (const [index, part] of parts.entries()) {
      const taker = fit[index];
      if (taker === undefined || part.length === 0) continue;
      const assignment = { assignmentId: runWorkers.nextAssignmentId(), slots: part };
      runWorkers.assign(taker.worker, assignment);
      run.record({ type: 'slots.moved', ...assignment, from: from.worker.id, to: taker.worker.id, joinMs });
      taker.worker.orders.give(assignmentOrder(run.id, plan, start, taker.worker.id, assignment, joinMs));
    }
    runWorkers.replaced(from.worker.id);
    return undefined;
  }
  return `none of the ${runWorkers.working().length} other workers has room for its ${clientsOf(slots)} clients`;
}

function hasRoom(run: RunCore, runWorker: RunWorker, more: Parameters<typeof clientsOf>[0]): boolean {
  const { capacity } = runWorker.worker.registration;
  const all = [...run.runWorkers.slotsOf(runWorker.worker.id), ...more];
  return clientsOf(all) <= capacity.clients && connectionsOf(run.plan.profiles, all) <= capacity.connections;
}
