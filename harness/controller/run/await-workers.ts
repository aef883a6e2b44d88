import { ControllerError } from '../../log/errors.js';
import type { Environment } from '../../platform/platform.js';
import type { Worker, WorkerRegistry } from '../workers/worker-registry.js';

interface WorkersWanted {
  readonly runId: string;
  readonly count: number;
  /**
   * The platform started the workers and gave them the token of the run: no other program counts, whatever it says
   * about itself. Otherwise every idle worker will do that the API let in.
   */
  readonly startedHere: boolean;
  /** Recognises the platform's workers when it knows them in another way. */
  readonly placeOf: Environment['placeOf'];
  readonly withinMs: number;
  /** Describes a worker that has ended and will never register. */
  readonly broken: () => string | undefined;
  /** Where to find the logs of the workers. */
  readonly workerLogs: string;
}

/**
 * Waits for `count` idle workers that are not saturated. They are in the order of allocation: by requested slot, then
 * by registration.
 * @throws ControllerError WORKERS_MISSING with the number that registered; WORKER_ENDED; the signal's reason when
 * aborted
 */
export async function awaitWorkers(
  registry: WorkerRegistry,
  wanted: WorkersWanted,
  signal: AbortSignal,
): Promise<readonly Worker[]> {
  const giveUpAt = performance.now() + wanted.withinMs;
  for (;;) {
    signal.throwIfAborted();
    const idle = candidates(registry, wanted);
    const fit = idle.filter((worker) => worker.saturatedBy === undefined);
    if (fit.length >= wanted.count) return fit.toSorted(byAllocation).slice(0, wanted.count);
    const broken = wanted.broken();
    if (broken !== undefined)
      throw new ControllerError(
        'WORKER_ENDED',
        `a worker ended before it registered: ${broken}`,
        `Look at its log (${wanted.workerLogs}).`,
      );
    const leftMs = giveUpAt - performance.now();
    if (leftMs <= 0) throw missing(wanted, idle, fit);
    // Workers also recover from saturation, which is no arrival: look again soon in any case.
    await arrival(registry, Math.min(leftMs, 250), signal);
  }
}

function candidates(registry: WorkerRegistry, { runId, startedHere, placeOf }: WorkersWanted): readonly Worker[] {
  return registry.all().filter((worker) => {
    if (worker.lost || worker.runListener !== undefined || worker.registration.capacity.clients === 0) return false;
    if (placeOf !== undefined && placeOf(worker.registration) === undefined) return false;
    return worker.startedFor === (startedHere ? runId : undefined);
  });
}

function byAllocation(a: Worker, b: Worker): number {
  return (
    (a.registration.slot ?? Infinity) - (b.registration.slot ?? Infinity) ||
    Number(a.id.slice(1)) - Number(b.id.slice(1)) ||
    0
  );
}

function missing(wanted: WorkersWanted, idle: readonly Worker[], fit: readonly Worker[]): ControllerError {
  const names = fit.map((worker) => `${worker.id} on ${worker.registration.host}`).join(', ') || 'none';
  const saturated = idle.length - fit.length;
  const seconds = Math.round(wanted.withinMs / 100) / 10;
  return new ControllerError(
    'WORKERS_MISSING',
    `${fit.length} of ${wanted.count} workers registered within ${seconds} s (${names}` +
      `${saturated > 0 ? `; ${saturated} more are saturated` : ''})`,
    `Look at the logs of the missing ones (${wanted.workerLogs}). ` +
      'Can they reach the controller? Do they have the worker token?',
  );
}

function arrival(registry: WorkerRegistry, withinMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      undo();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, withinMs);
    const undo = registry.onArrival(done);
    signal.addEventListener('abort', done);
  });
}
