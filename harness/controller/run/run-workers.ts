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
  /** `no` while its last batch is waited for, otherwise how it ended. */
  readonly ended: 'no' | 'lost' | NonNullable<Telemetry['final']>['reason'];
  /** Its slots were given to others. */
  readonly replaced: boolean;
}

/** The workers that carry the load of a run, in the order of allocation: their slots and whether they still work. */
export class RunWorkers {
  private readonly byId = new Map<string, RunWorker>();
  private assignments = 0;

  all(): readonly RunWorker[] {
    return [...this.byId.values()];
  }

  working(): readonly RunWorker[] {
    return this.all().filter((runWorker) => runWorker.ended === 'no');
  }

  get(workerId: string): RunWorker | undefined {
    return this.byId.get(workerId);
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
    this.byId.set(worker.id, { ...runWorker, assignments: [...runWorker.assignments, assignment] });
  }

  end(workerId: string, how: Exclude<RunWorker['ended'], 'no'>): void {
    const runWorker = this.get(workerId);
    if (runWorker) this.byId.set(workerId, { ...runWorker, ended: how });
  }

  replaced(workerId: string): void {
    const runWorker = this.get(workerId);
    if (runWorker) this.byId.set(workerId, { ...runWorker, replaced: true });
  }

  /** A lost worker is back at work. Says whether it still has its slots. */
  revive(workerId: string): 'kept' | 'replaced' {
    const runWorker = this.get(workerId);
    if (runWorker) this.byId.set(workerId, { ...runWorker, ended: 'no' });
    return runWorker?.replaced ? 'replaced' : 'kept';
  }

  /** To all workers that work, and to lost ones, which may still receive it. */
  sendToAll(order: Order): void {
    for (const runWorker of this.byId.values()) {
      if (runWorker.ended === 'no' || runWorker.ended === 'lost') runWorker.worker.orders.give(order);
    }
  }
}

/** The most connections of these clients at once: arms take turns. */
export function connectionsOf(profiles: readonly ProfilePlan[], sets: readonly SlotSet[]): number {
  const byArm = new Map<string | undefined, number>();
  for (const { profile, count } of sets) {
    const { arm, connections = 0 } = profiles[profile] ?? {};
    byArm.set(arm, (byArm.get(arm) ?? 0) + count * connections);
  }
  return Math.max(0, ...byArm.values());
}
