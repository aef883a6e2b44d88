import type { RunEvent } from '../../log/events.js';

export type FaultEvent = Extract<RunEvent, { readonly type: `fault.${string}` }>;

/** What became of one fault, from its events. Moments are run time. */
export interface FaultRecord {
  readonly id: string;
  readonly kind: string;
  readonly target: string;
  readonly startedMs: number;
  /** When it was seen to be in effect. */
  readonly injectedMs?: number;
  /** When its undo was ordered. */
  readonly endedMs?: number;
  readonly ended?: 'time' | 'run-over';
  /** Whether the platform accepted the undo. */
  readonly undone: boolean;
  /** When the undo was seen to be in effect. */
  readonly undoneMs?: number;
  readonly problem?: string;
}

export class FaultRecords {
  private readonly records = new Map<string, FaultRecord>();

  add(event: FaultEvent, atMs: number): void {
    const { faultId } = event;
    if (event.type === 'fault.started') {
      const { kind, target } = event;
      this.records.set(faultId, { id: faultId, kind, target, startedMs: atMs, undone: false });
      return;
    }
    const known = this.records.get(faultId);
    if (known !== undefined) this.records.set(faultId, { ...known, ...changeBy(event, atMs) });
  }

  /** The faults that began, in order of time. */
  view(): readonly FaultRecord[] {
    return [...this.records.values()].toSorted((a, b) => a.startedMs - b.startedMs);
  }
}

function changeBy(event: Exclude<FaultEvent, { readonly type: 'fault.started' }>, atMs: number): Partial<FaultRecord> {
  switch (event.type) {
    case 'fault.settled':
      return event.phase === 'injected' ? { injectedMs: atMs } : { undoneMs: atMs };
    case 'fault.ended':
      return { endedMs: atMs, ended: event.reason };
    case 'fault.undone':
      return { undone: true };
    case 'fault.failed':
      return { problem: event.problem };
  }
}

export function isFaultEvent(event: RunEvent): event is FaultEvent {
  return event.type.startsWith('fault.');
}
