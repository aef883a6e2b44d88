import { allocate } from '../../../scenarios/schema/allocate.js';
import { ControllerError } from '../../log/errors.js';
import type { Worker } from '../workers/worker-registry.js';
import type { RunCore } from './active-run.js';
import { assignmentOrder, type RunStart } from './orders.js';
import { type Assignment, clientsOf, connectionsOf } from './run-workers.js';

/**
 * Splits the clients over the workers and gives each its part, to start together. @throws ControllerError
 * CAPACITY_EXCEEDED
 */
export function startLoad(run: RunCore, workers: readonly Worker[], start: Omit<RunStart, 'startAt'>): void {
  const { plan, runWorkers, shared } = run;
  const shares = allocate(plan.profiles, workers.length);
  const assigned: { readonly worker: Worker; readonly assignment: Assignment }[] = [];
  for (const [index, worker] of workers.entries()) {
    const slots = shares[index] ?? [];
    // More workers than clients: the rest stays idle.
    if (clientsOf(slots) === 0) continue;
    checkCapacity(run, worker, slots, workers.length);
    const assignment = { assignmentId: runWorkers.nextAssignmentId(), slots };
    runWorkers.assign(worker, assignment);
    assigned.push({ worker, assignment });
  }
  const startAt = Math.ceil(shared.now() + shared.timings.startDelayMs);
  const runStart = { ...start, startAt };
  run.record({
    type: 'run.started',
    startAt,
    assignments: assigned.map(({ worker, assignment }) => ({ workerId: worker.id, ...assignment })),
  });
  run.start = runStart;
  run.deadline = startAt + run.endMs + plan.drainMs + shared.timings.lastBatchesMs;
  for (const { worker, assignment } of assigned)
    worker.orders.give(assignmentOrder(run.id, plan, runStart, worker.id, assignment, 0));
}

function checkCapacity(run: RunCore, worker: Worker, slots: Assignment['slots'], workers: number): void {
  const { capacity, host } = worker.registration;
  const [clients, connections] = [clientsOf(slots), connectionsOf(run.plan.profiles, slots)];
  if (clients <= capacity.clients && connections <= capacity.connections) return;
  const over =
    clients > capacity.clients
      ? `${clients} clients, it has room for ${capacity.clients}${capacity.clients === capacity.connections && capacity.bound !== undefined ? ` ${capacity.bound}` : ''}`
      : `${connections} connections, it has room for ${capacity.connections}${capacity.bound === undefined ? '' : ` ${capacity.bound}`}`;
  const hint = 'Use more workers (--workers N), fewer clients, or raise that limit where the worker runs.';
  throw new ControllerError(
    'CAPACITY_EXCEEDED',
    `the share of worker ${worker.id} on ${host} (1 of ${workers}) is ${over}`,
    hint,
  );
}
