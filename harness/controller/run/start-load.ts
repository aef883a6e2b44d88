import { allocate } from '../../../scenarios/schema/allocate.js';
import { ControllerError } from '../../log/errors.js';
import type { Worker } from '../workers/worker-registry.js';
import type { ActiveRun } from './active-run.js';
import { assignmentOrder, type RunStart } from './orders.js';
import { type Assignment, clientsOf, connectionsOf } from './run-workers.js';

/**
 * Splits the clients over the workers and sends each worker its assignment; all start at the same time.
 * @throws ControllerError CAPACITY_EXCEEDED
 */
export function startLoad(run: ActiveRun, workers: readonly Worker[], settled: Omit<RunStart, 'startAt'>): void {
  const { plan } = run;
  const { now, timings } = run.context;
  const shares = allocate(plan.profiles, workers.length);
  const assigned: { readonly worker: Worker; readonly assignment: Assignment }[] = [];
  for (const [index, worker] of workers.entries()) {
    const slots = shares[index] ?? [];
    // With more workers than clients, the rest of the workers stay idle.
    if (clientsOf(slots) === 0) continue;
    checkCapacity(run, worker, slots, workers.length);
    const assignment = { assignmentId: run.workers.nextAssignmentId(), slots };
    run.workers.assign(worker, assignment);
    assigned.push({ worker, assignment });
  }
  const start = { ...settled, startAt: Math.ceil(now() + timings.startDelayMs) };
  run.record({
    type: 'run.started',
    startAt: start.startAt,
    assignments: assigned.map(({ worker, assignment }) => ({ workerId: worker.id, ...assignment })),
  });
  run.beginLoad(start);
  for (const { worker, assignment } of assigned)
    worker.orders.give(assignmentOrder(run.id, plan, start, worker.id, assignment, 0));
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
