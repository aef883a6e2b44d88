import { splitSlots } from '../../../scenarios/schema/index.js';
import type { Worker } from '../workers/registry.js';
import type { RunCore } from './core.js';
import type { Member } from './crew.js';
import { assignmentOrder, stopOrder } from './orders.js';
import { clientsOf, connectionsOf } from './slots.js';

/** A worker has not been heard of for too long. */
export function workerLost(core: RunCore, worker: Worker, silentMs: number): void {
  const member = core.crew.get(worker.id);
  // A worker that has sent its last batch, or never had any load, is not missed.
  if (core.start !== undefined && member?.ended !== 'no') return;
  const { onWorkerLoss } = core.plan;
  const lastHeardMs = Math.max(0, Math.round(core.tMs - silentMs));
  core.record({
    type: 'worker.lost',
    workerId: worker.id,
    lastHeardMs,
    silentMs: Math.round(silentMs),
    policy: onWorkerLoss,
  });
  core.crew.end(worker.id, 'lost');
  if (member)
    applyPolicy(
      core,
      member,
      `worker ${worker.id} on ${worker.registration.host} was not heard of for ${(silentMs / 1000).toFixed(1)} s`,
    );
  core.settle();
}

/** A worker has ended its part before the end of the run, and said so. */
export function workerGaveUp(core: RunCore, member: Member, why: string): void {
  applyPolicy(core, member, `worker ${member.worker.id} gave up: ${why}`);
}

/**
 * A lost worker is back. It is waited for again, so that what it measured is not missing; where its slots were moved it
 * must not go on with them.
 */
export function workerReturned(core: RunCore, worker: Worker): void {
  if (core.crew.get(worker.id)?.ended !== 'lost') return;
  if (core.crew.revive(worker.id) === 'replaced') worker.orders.give(stopOrder(core.id, 'now'));
}

function applyPolicy(core: RunCore, member: Member, what: string): void {
  if (core.stopping.signal.aborted || core.tMs >= core.endMs) return;
  const { onWorkerLoss } = core.plan;
  if (onWorkerLoss === 'fail') return core.stop('worker-loss', 'drain', `${what}; onWorkerLoss is fail`);
  if (core.crew.atWork().length === 0) return core.stop('worker-loss', 'drain', `${what}; no worker is left`);
  if (onWorkerLoss === 'continue') return;
  const problem = moveSlots(core, member);
  if (problem !== undefined) core.stop('worker-loss', 'drain', `${what}; onWorkerLoss is replace, but ${problem}`);
}

/** Deals the slots of a worker that is gone to those with room. Returns why that is not possible. */
function moveSlots(core: RunCore, from: Member): string | undefined {
  const { start, plan, crew } = core;
  const joinMs = Math.max(0, Math.ceil(core.tMs + core.shared.timings.noticeMs));
  if (start === undefined || joinMs >= core.endMs) return undefined;
  const slots = crew.slotsOf(from.worker.id);
  const takers = crew.atWork().filter((member) => member.worker.saturatedBy === undefined);
  // With fewer takers each takes more, so try all of them first; drop those that have no room until the rest fits.
  for (let fit = takers; fit.length > 0; ) {
    const parts = splitSlots(slots, plan.profiles, fit.length);
    const withRoom = fit.filter((member, index) => hasRoom(core, member, parts[index] ?? []));
    if (withRoom.length < fit.length) {
      fit = withRoom;
      continue;
    }
    for (const [index, part] of parts.entries()) {
      const taker = fit[index];
      if (taker === undefined || part.length === 0) continue;
      const assignment = { assignmentId: crew.nextAssignmentId(), slots: part };
      crew.assign(taker.worker, assignment);
      core.record({ type: 'slots.moved', ...assignment, from: from.worker.id, to: taker.worker.id, joinMs });
      taker.worker.orders.give(assignmentOrder(core.id, plan, start, taker.worker.id, assignment, joinMs));
    }
    crew.replaced(from.worker.id);
    return undefined;
  }
  return `none of the ${crew.atWork().length} other workers has room for its ${clientsOf(slots)} clients`;
}

function hasRoom(core: RunCore, member: Member, more: Parameters<typeof clientsOf>[0]): boolean {
  const { capacity } = member.worker.registration;
  const all = [...core.crew.slotsOf(member.worker.id), ...more];
  return clientsOf(all) <= capacity.clients && connectionsOf(core.plan.profiles, all) <= capacity.connections;
}
