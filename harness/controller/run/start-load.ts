/** From the preflight to the start of the load: who makes which part of it, and when all begin. */
import { setTimeout as sleep } from 'node:timers/promises';
import { idShares } from '../../../client-sim/protocol/id-ranges.js';
import { allocate, allocateByRole } from '../../../scenarios/schema/allocate.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { clientsOf } from '../../analysis/facts/run-facts.js';
import { ControllerError } from '../../log/errors.js';
import type { Worker } from '../workers/worker-registry.js';
import type { ActiveRun } from './active-run.js';
import { assignmentOrder, beginOrder, type RunStart, stopOrder } from './orders.js';
import { type Assignment, connectionsOf } from './run-workers.js';

/** Who makes the load. */
interface Staff {
  readonly workers: readonly Worker[];
  /** Where to find their logs, as text. */
  readonly workerLogs: string;
  /** Clients that subscribe are on workers of their own. */
  readonly extraConsumers: boolean;
}

interface Assigned {
  readonly worker: Worker;
  readonly assignment: Assignment;
}

/**
 * Splits the clients over the workers and sends each worker its assignment; all start at the same time. Where each
 * session starts a server, the sessions of the first stage open before that.
 * @throws ControllerError CAPACITY_EXCEEDED, WORKERS_MISSING; the signal's reason when the run is stopped
 */
export async function startLoad(
  run: ActiveRun,
  { workers, workerLogs, extraConsumers }: Staff,
  settled: Omit<RunStart, 'startAt' | 'idShares'>,
): Promise<void> {
  refuseLost(workers, workerLogs);
  const { plan } = run;
  const { now, timings } = run.context;
  const shares = (extraConsumers ? allocateByRole : allocate)(plan.profiles, workers.length);
  const assigned: Assigned[] = [];
  for (const [index, worker] of workers.entries()) {
    const slots = shares[index] ?? [];
    // With more workers than clients, the rest of the workers stay idle.
    if (clientsOf(slots) === 0) continue;
    checkCapacity(run, worker, slots, workers.length);
    const assignment = { assignmentId: run.workers.nextAssignmentId(), slots };
    run.workers.assign(worker, assignment);
    assigned.push({ worker, assignment });
  }
  const startTimeoutMs = startTimeoutOf(plan);
  const latest = {
    ...settled,
    idShares: idShares(workers.map(({ id, registration }) => ({ id, threads: registration.threads }))),
    startAt: Math.ceil(now() + (startTimeoutMs ?? 0) + timings.startDelayMs),
  };
  const opening = startTimeoutMs === undefined ? {} : { openFirst: true as const };
  const giveAll = (): void => {
    for (const { worker, assignment } of assigned)
      worker.orders.give({ ...assignmentOrder(run.id, plan, latest, worker.id, assignment, 0), ...opening });
  };
  if (startTimeoutMs !== undefined) {
    giveAll();
    await sessionsOpened(run, assigned, latest.startAt - timings.startDelayMs);
    refuseLost(workers, workerLogs);
  }
  const start =
    startTimeoutMs === undefined
      ? latest
      : { ...latest, startAt: Math.min(latest.startAt, Math.ceil(now() + timings.noticeMs)) };
  run.record({
    type: 'run.started',
    startAt: start.startAt,
    assignments: assigned.map(({ worker, assignment }) => ({ workerId: worker.id, ...assignment })),
  });
  run.beginLoad(start);
  if (startTimeoutMs === undefined) giveAll();
  else run.workers.sendToAll(beginOrder(run.id, start.startAt));
}

/** How long a server that a session starts may take; undefined: sessions start none. */
function startTimeoutOf({ target, profiles }: Plan): number | undefined {
  if (target.kind !== 'command') return undefined;
  return Math.max(target.server.startTimeoutMs ?? 0, ...profiles.map(({ timeoutMs }) => timeoutMs));
}

const OPENED_CHECK_MS = 50;

/**
 * Waits until each worker has tried its sessions, or has ended.
 * @param until epoch ms after which the load starts with those that are open
 */
async function sessionsOpened(run: ActiveRun, assigned: readonly Assigned[], until: number): Promise<void> {
  const { now } = run.context;
  const waits = ({ worker }: Assigned): boolean =>
    !run.opened.has(worker.id) && run.workers.get(worker.id)?.ended === 'no';
  try {
    while (assigned.some(waits) && now() < until) await sleep(OPENED_CHECK_MS, undefined, { signal: run.stopping });
    run.stopping.throwIfAborted();
  } catch (error) {
    run.workers.sendToAll(stopOrder(run.id, 'now'));
    throw error;
  }
}

function checkCapacity(run: ActiveRun, worker: Worker, slots: Assignment['slots'], workers: number): void {
  const { capacity, host } = worker.registration;
  const [clients, connections] = [clientsOf(slots), connectionsOf(run.plan.profiles, slots)];
  if (clients <= capacity.clients && connections <= capacity.connections) return;
  // `bound` names the limit of the machine that both numbers may come from.
  const bound = capacity.bound === undefined ? '' : ` ${capacity.bound}`;
  const excess =
    clients > capacity.clients
      ? `${clients} clients, but it has room for ${capacity.clients}` +
        (capacity.clients === capacity.connections ? bound : '')
      : `${connections} connections, but it has room for ${capacity.connections}${bound}`;
  throw new ControllerError(
    'CAPACITY_EXCEEDED',
    `the share of worker ${worker.id} on ${host} (1 of ${workers}) is ${excess}`,
    'Use more workers (--workers N), fewer clients, or raise that limit where the worker runs.',
  );
}

function refuseLost(workers: readonly Worker[], workerLogs: string): void {
  const lost = workers.filter((worker) => worker.lost).map((worker) => `${worker.id} on ${worker.registration.host}`);
  if (lost.length === 0) return;
  throw new ControllerError(
    'WORKERS_MISSING',
    `${lost.length} of ${workers.length} workers were lost before the load began: ${lost.join(', ')}`,
    `Look at their logs (${workerLogs}).`,
  );
}
