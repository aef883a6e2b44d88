import { allocate } from '../../../scenarios/schema/index.js';
import { ControllerError } from '../errors.js';
import type { Worker } from '../workers/registry.js';
import type { RunCore } from './core.js';
import type { Assignment } from './crew.js';
import { assignmentOrder, type RunStart } from './orders.js';
import { clientsOf, connectionsOf } from './slots.js';

/**
 * Splits the clients over the workers and gives each its part, to start together. @throws ControllerError
 * CAPACITY_EXCEEDED
 */
export function begin(core: RunCore, workers: readonly Worker[], start: Omit<RunStart, 'startAt'>): void {
  const { plan, crew, shared } = core;
  const shares = allocate(plan.profiles, workers.length);
  const assigned: { readonly worker: Worker; readonly assignment: Assignment }[] = [];
  for (const [index, worker] of workers.entries()) {
    const slots = shares[index] ?? [];
    // More workers than clients: the rest stays idle.
    if (clientsOf(slots) === 0) continue;
    checkCapacity(core, worker, slots, workers.length);
    const assignment = { assignmentId: crew.nextAssignmentId(), slots };
    crew.assign(worker, assignment);
    assigned.push({ worker, assignment });
  }
  const startAt = Math.ceil(shared.now() + shared.timings.startDelayMs);
  const runStart = { ...start, startAt };
  core.record({
    type: 'run.started',
    startAt,
    assignments: assigned.map(({ worker, assignment }) => ({ workerId: worker.id, ...assignment })),
  });
  core.start = runStart;
  core.deadline = startAt + core.endMs + plan.drainMs + shared.timings.lastBatchesMs;
  for (const { worker, assignment } of assigned)
    worker.orders.give(assignmentOrder(core.id, plan, runStart, worker.id, assignment, 0));
}

function checkCapacity(core: RunCore, worker: Worker, slots: Assignment['slots'], workers: number): void {
  const { capacity, host } = worker.registration;
  const [clients, connections] = [clientsOf(slots), connectionsOf(core.plan.profiles, slots)];
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
