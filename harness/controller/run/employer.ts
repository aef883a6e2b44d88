import type { Telemetry } from '../../../client-sim/protocol/telemetry.js';
import { ControllerError, messageOf } from '../errors.js';
import type { Employer, Worker } from '../workers/registry.js';
import type { RunCore } from './core.js';
import type { Intaken } from './intake.js';
import { workerGaveUp, workerLost, workerReturned } from './losses.js';

/** What a run does about what its workers say, or fail to say. */
export function employer(core: RunCore): Employer {
  return {
    runId: core.id,
    clock: (worker) => recordClock(core, worker),
    saturated: (worker, reason) => void core.record({ type: 'worker.saturated', workerId: worker.id, reason }),
    recovered: (worker) => void core.record({ type: 'worker.recovered', workerId: worker.id }),
    lost: (worker, silentMs) => workerLost(core, worker, silentMs),
    returned: (worker) => workerReturned(core, worker),
    preflight: (_worker, result) => core.preflightAnswer?.(result),
    telemetry: (worker, batch) => takeBatch(core, worker, batch),
  };
}

export function recordClock(core: RunCore, worker: Worker): void {
  if (worker.clock) core.record({ type: 'worker.clock', workerId: worker.id, clock: worker.clock });
}

async function takeBatch(core: RunCore, worker: Worker, batch: Telemetry): Promise<number> {
  const { totals, now } = core.shared;
  const taken = await core.intake
    .take(worker.id, batch, new Date(now()).toISOString())
    .catch((error: unknown): Intaken => {
      // A refused batch will be refused for ever: better to end the run and say so than to wait for what cannot come.
      if (error instanceof ControllerError && error.code === 'TELEMETRY_REFUSED') giveUp(core, error);
      throw error;
    });
  if (taken.kind === 'refused') return taken.acknowledged;
  totals.telemetryBatches += 1;
  totals.telemetryBytes += taken.bytes;
  if (taken.problem !== undefined)
    giveUp(
      core,
      new ControllerError(
        'TELEMETRY_REFUSED',
        `worker ${worker.id}, batch ${batch.sequence}: ${messageOf(taken.problem)}`,
      ),
    );
  if (batch.final) finish(core, worker.id, batch);
  return taken.acknowledged;
}

function giveUp(core: RunCore, error: ControllerError): void {
  if (core.failure === undefined) core.fail(error);
  core.stop('error', 'drain', error.message);
}

/** Also for a last batch that was read back from the log of a controller before this one. */
export function finish(core: RunCore, workerId: string, batch: Telemetry): void {
  if (batch.final === undefined) return;
  const { reason, problem } = batch.final;
  const member = core.crew.get(workerId);
  core.record({
    type: 'worker.finished',
    workerId,
    reason,
    lastSequence: batch.sequence,
    ...(problem === undefined ? {} : { problem }),
  });
  core.crew.end(workerId, reason);
  if (member && !member.replaced && (reason === 'lease-lost' || reason === 'failed')) {
    workerGaveUp(
      core,
      member,
      problem ?? (reason === 'failed' ? 'it failed' : 'it could not reach the controller for the length of its lease'),
    );
  }
  core.settle();
}
