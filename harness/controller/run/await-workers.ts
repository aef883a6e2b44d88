import { ControllerError } from '../../log/errors.js';
import type { Environment, StartedProgram } from '../../platform/platform.js';
import type { Worker, WorkerRegistry } from '../workers/worker-registry.js';

interface WorkersWanted {
  readonly count: number;
  /** The workers a platform started, where it told their processes; otherwise any idle worker will do. */
  readonly programs: readonly StartedProgram[];
  /** Which workers are the platform's, where it knows them another way. */
  readonly placeOf: Environment['placeOf'];
  readonly withinMs: number;
  /** In words, a worker that will never come. */
  readonly broken: () => string | undefined;
  /** Where people find what they wrote. */
  readonly workerLogs: string;
}

/**
 * Idle workers fit for new clients, `count` of them, in the order of allocation: wished place first, then order of
 * registration.
 * @throws ControllerError WORKERS_MISSING, naming how many came; WORKER_ENDED, with its last words; the signal's reason
 * when aborted
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
    if (fit.length >= wanted.count) return fit.toSorted(byPlace).slice(0, wanted.count);
    const broken = wanted.broken();
    if (broken !== undefined)
      throw new ControllerError(
        'WORKER_ENDED',
        `a worker ended before it registered: ${broken}`,
        `Its whole log: ${wanted.workerLogs}.`,
      );
    const leftMs = giveUpAt - performance.now();
    if (leftMs <= 0) throw missing(wanted, idle, fit);
    // Saturation and health change without an arrival: look again soon in any case.
    await arrival(registry, Math.min(leftMs, 250), signal);
  }
}

function candidates(registry: WorkerRegistry, { programs, placeOf }: WorkersWanted): readonly Worker[] {
  const pids = new Set(programs.filter((program) => program.role === 'worker').map((program) => program.pid));
  return registry.all().filter((worker) => {
    if (worker.lost || worker.runListener !== undefined || worker.registration.capacity.clients === 0) return false;
    if (placeOf !== undefined && placeOf(worker.registration) === undefined) return false;
    return pids.size === 0 || pids.has(worker.registration.pid);
  });
}

function byPlace(a: Worker, b: Worker): number {
  return (
    (a.registration.slot ?? Infinity) - (b.registration.slot ?? Infinity) ||
    Number(a.id.slice(1)) - Number(b.id.slice(1)) ||
    0
  );
}

function missing(wanted: WorkersWanted, idle: readonly Worker[], fit: readonly Worker[]): ControllerError {
  const came = fit.map((worker) => `${worker.id} on ${worker.registration.host}`).join(', ') || 'none';
  const full = idle.length - fit.length;
  return new ControllerError(
    'WORKERS_MISSING',
    `${fit.length} of ${wanted.count} workers registered within ${Math.round(wanted.withinMs / 100) / 10} s (${came}${full > 0 ? `; ${full} more saturated` : ''})`,
    `Look at the logs of the missing ones (${wanted.workerLogs}): can they reach the controller, do they have the worker token?`,
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
