import type { Order } from '../../../client-sim/protocol/messages.js';
import type { Telemetry } from '../../../client-sim/protocol/telemetry.js';
import type { SlotSet } from '../../../scenarios/schema/allocate.js';
import type { ProfilePlan } from '../../../scenarios/schema/plan.js';
import type { Worker } from '../workers/worker-registry.js';

export interface Assignment {
  readonly assignmentId: string;
  readonly slots: readonly SlotSet[];
}

/** One worker's part in a run. */
export interface RunWorker {
  readonly worker: Worker;
  readonly assignments: readonly Assignment[];
  /** It has sent its last batch, or is gone and not waited for. */
  readonly ended: 'no' | 'lost' | NonNullable<Telemetry['final']>['reason'];
  /** Its slots were given to others. */
  readonly replaced: boolean;
}

/** The workers of a run that carry load, in the order of allocation. Knows who is still at work; decides nothing. */
export class RunWorkers {
  private readonly _members = new Map<string, RunWorker>();
  private assignments = 0;

  all(): readonly RunWorker[] {
    return [...this._members.values()];
  }

  working(): readonly RunWorker[] {
    return this.all().filter((runWorker) => runWorker.ended === 'no');
  }

  get(workerId: string): RunWorker | undefined {
    return this._members.get(workerId);
  }

  slotsOf(workerId: string): readonly SlotSet[] {
    return this.get(workerId)?.assignments.flatMap((assignment) => assignment.slots) ?? [];
  }

  nextAssignmentId(): string {
    return `a${this.assignments + 1}`;
  }

  assign(worker: Worker, assignment: Assignment): void {
    const runWorker = this.get(worker.id) ?? { worker, assignments: [], ended: 'no', replaced: false };
    this.assignments += 1;
    this._members.set(worker.id, { ...runWorker, assignments: [...runWorker.assignments, assignment] });
  }

  end(workerId: string, how: Exclude<RunWorker['ended'], 'no'>): void {
    const runWorker = this.get(workerId);
    if (runWorker) this._members.set(workerId, { ...runWorker, ended: how });
  }

  replaced(workerId: string): void {
    const runWorker = this.get(workerId);
    if (runWorker) this._members.set(workerId, { ...runWorker, replaced: true });
  }

  /** A lost one is back at work; says whether it still has its slots. */
  revive(workerId: string): 'kept' | 'replaced' {
    const runWorker = this.get(workerId);
    if (runWorker) this._members.set(workerId, { ...runWorker, ended: 'no' });
    return runWorker?.replaced ? 'replaced' : 'kept';
  }

  /** To all that are at work, and to those that are lost: they may hear it yet. */
  sendToAll(order: Order): void {
    for (const runWorker of this._members.values()) {
      if (runWorker.ended === 'no' || runWorker.ended === 'lost') runWorker.worker.orders.give(order);
    }
  }
}

export function clientsOf(sets: readonly SlotSet[]): number {
  return sets.reduce((sum, set) => sum + set.count, 0);
}

export function connectionsOf(profiles: readonly ProfilePlan[], sets: readonly SlotSet[]): number {
  return sets.reduce((sum, set) => sum + set.count * (profiles[set.profile]?.connections ?? 0), 0);
}
