import type { Order, SlotSet } from '../../../client-sim/protocol/messages.js';
import type { Telemetry } from '../../../client-sim/protocol/telemetry.js';
import type { Worker } from '../workers/registry.js';

export interface Assignment {
  readonly assignmentId: string;
  readonly slots: readonly SlotSet[];
}

/** One worker's part in a run. */
export interface Member {
  readonly worker: Worker;
  readonly assignments: readonly Assignment[];
  /** It has sent its last batch, or is gone and not waited for. */
  readonly ended: 'no' | 'lost' | NonNullable<Telemetry['final']>['reason'];
  /** Its slots were given to others. */
  readonly replaced: boolean;
}

/** The workers of a run that carry load, in the order of allocation. Knows who is still at work; decides nothing. */
export class Crew {
  private readonly _members = new Map<string, Member>();
  private assignments = 0;

  members(): readonly Member[] {
    return [...this._members.values()];
  }

  atWork(): readonly Member[] {
    return this.members().filter((member) => member.ended === 'no');
  }

  get(workerId: string): Member | undefined {
    return this._members.get(workerId);
  }

  slotsOf(workerId: string): readonly SlotSet[] {
    return this.get(workerId)?.assignments.flatMap((assignment) => assignment.slots) ?? [];
  }

  nextAssignmentId(): string {
    return `a${this.assignments + 1}`;
  }

  assign(worker: Worker, assignment: Assignment): void {
    const member = this.get(worker.id) ?? { worker, assignments: [], ended: 'no', replaced: false };
    this.assignments += 1;
    this._members.set(worker.id, { ...member, assignments: [...member.assignments, assignment] });
  }

  end(workerId: string, how: Exclude<Member['ended'], 'no'>): void {
    const member = this.get(workerId);
    if (member) this._members.set(workerId, { ...member, ended: how });
  }

  replaced(workerId: string): void {
    const member = this.get(workerId);
    if (member) this._members.set(workerId, { ...member, replaced: true });
  }

  /** A lost one is back at work; says whether it still has its slots. */
  revive(workerId: string): 'kept' | 'replaced' {
    const member = this.get(workerId);
    if (member) this._members.set(workerId, { ...member, ended: 'no' });
    return member?.replaced ? 'replaced' : 'kept';
  }

  /** To all that are at work, and to those that are lost: they may hear it yet. */
  tell(order: Order): void {
    for (const member of this._members.values()) {
      if (member.ended === 'no' || member.ended === 'lost') member.worker.orders.give(order);
    }
  }
}
