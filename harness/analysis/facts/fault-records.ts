import type { FaultPlan } from '../../../scenarios/schema/plan.js';
import type { RunEvent } from '../../log/events.js';
import type { Notice } from '../../platform/platform.js';
import { slotNameOf } from './replica-ids.js';

export type FaultEvent = Extract<RunEvent, { readonly type: `fault.${string}` }>;

/** What became of one fault, from its events. Moments are run time. */
export interface FaultRecord {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly target: string;
  /** Ids of the replicas that it struck. */
  readonly replicas: readonly string[];
  /** The node that it struck, as the journal has it; all that happens there meanwhile follows from it. */
  readonly node?: string;
  /** When it was decided: its order came next. */
  readonly startedMs: number;
  /** When the platform had accepted the order. */
  readonly orderedMs?: number;
  readonly outcome?: 'applied' | 'refused' | 'unknown';
  /** When it was seen to be in effect. */
  readonly injectedMs?: number;
  /** What showed that. */
  readonly evidence?: string;
  /** Why nothing showed it. */
  readonly unwitnessed?: string;
  /** What it struck anew, in words. */
  readonly followed: readonly string[];
  /** Who noticed it, first: the gateway took a server out, Swarm knew of it, a replacement answered. */
  readonly noticed: readonly {
    readonly by: 'gateway' | 'swarm' | 'replacement';
    readonly atMs: number;
    readonly detail: string;
  }[];
  /** When its undo was ordered. */
  readonly endedMs?: number;
  readonly ended?: 'time' | 'run-over' | 'halted';
  /** Whether the platform accepted the undo. */
  readonly undone: boolean;
  /** Whether the undo took the second way. */
  readonly forced?: true;
  /** When the undo was seen to be in effect. */
  readonly undoneMs?: number;
  /** What was not as before after the undo, and what mends it. */
  readonly left: readonly { readonly what: string; readonly mend: string }[];
  readonly problem?: string;
}

export class FaultRecords {
  private readonly records = new Map<string, FaultRecord>();

  add(event: FaultEvent, atMs: number): void {
    const { faultId } = event;
    const known = this.records.get(faultId);
    if (event.type === 'fault.started') {
      const { kind, name = kind, target, replicas = [], before } = event;
      const node = typeof before.node === 'string' ? { node: before.node } : {};
      const empty = { followed: [], noticed: [], undone: false, left: [] };
      this.records.set(faultId, { id: faultId, kind, name, target, replicas, ...node, startedMs: atMs, ...empty });
      return;
    }
    if (known !== undefined) this.records.set(faultId, { ...known, ...changeBy(event, atMs, known) });
  }

  /** What happened to the platform: where a fault is behind it, somebody has noticed the fault. */
  addNotice(notice: Notice, atMs: number, plans: readonly FaultPlan[]): void {
    const by = noticedBy(notice);
    const fault = by === undefined ? undefined : faultBehind(notice, atMs, this.view(), plans);
    if (by === undefined || fault === undefined || fault.noticed.some((one) => one.by === by)) return;
    this.records.set(fault.id, { ...fault, noticed: [...fault.noticed, { by, atMs, detail: notice.text }] });
  }

  /** The faults that began, in order of time. */
  view(): readonly FaultRecord[] {
    return [...this.records.values()].toSorted((a, b) => a.startedMs - b.startedMs);
  }
}

function changeBy(
  event: Exclude<FaultEvent, { readonly type: 'fault.started' }>,
  atMs: number,
  { followed, left }: FaultRecord,
): Partial<FaultRecord> {
  switch (event.type) {
    case 'fault.ordered':
      return { orderedMs: atMs, outcome: event.outcome };
    case 'fault.settled':
      if (event.phase === 'undone') return { undoneMs: atMs };
      return { injectedMs: atMs, ...(event.evidence === undefined ? {} : { evidence: event.evidence }) };
    case 'fault.followed':
      return { followed: [...followed, ...event.struck] };
    case 'fault.unwitnessed':
      return { unwitnessed: event.why };
    case 'fault.ended':
      return { endedMs: atMs, ended: event.reason };
    case 'fault.undone':
      return { undone: true, ...(event.forced === undefined ? {} : { forced: event.forced }) };
    case 'fault.left':
      return { left: [...left, { what: event.what, mend: event.mend }] };
    case 'fault.failed':
      return { problem: event.problem };
  }
}

export function isFaultEvent(event: RunEvent): event is FaultEvent {
  return event.type.startsWith('fault.');
}

function noticedBy({ what, text }: Notice): FaultRecord['noticed'][number]['by'] | undefined {
  switch (what) {
    case 'server-out':
      return 'gateway';
    case 'task-died':
    case 'node-down':
      return 'swarm';
    case 'server-back':
      // The same replica is back `again`.
      return text.endsWith(' now') ? 'replacement' : undefined;
    default:
      return undefined;
  }
}

/** What a fault causes may come after its undo: a node is declared down after 14 s, by Swarm's defaults. */
const AFTERMATH_MS = 20_000;

/** The fault that was on, or just over, and acts on the same replica, service or node; of several the newest. */
export function faultBehind(
  { service, subject, node: where }: Notice,
  atMs: number,
  records: readonly FaultRecord[],
  plans: readonly FaultPlan[],
): FaultRecord | undefined {
  const slot = slotNameOf(subject);
  return records.findLast(({ id, startedMs, endedMs, undoneMs, replicas, node }) => {
    const overMs = (undoneMs ?? endedMs ?? Infinity) + AFTERMATH_MS;
    if (atMs < startedMs || atMs > overMs) return false;
    if (node !== undefined && node === where) return true;
    const plan = plans.find((fault) => fault.id === id);
    const acted = plan !== undefined && 'service' in plan ? plan.service : undefined;
    if (acted !== undefined) return service === undefined || acted === service;
    return replicas.length === 0 || service === undefined || replicas.some((replica) => slotNameOf(replica) === slot);
  });
}

/** What an event says of a fault, for the terminal and the report; undefined for all other events. */
export function faultText(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'fault.started':
      return `fault ${event.faultId} (${event.kind}): ${event.target}`;
    case 'fault.settled':
      return event.phase === 'injected'
        ? `fault ${event.faultId} is in effect${event.evidence === undefined ? '' : `: ${event.evidence}`}`
        : `the undo of fault ${event.faultId} is in effect`;
    case 'fault.ended':
      return `fault ${event.faultId} ends${endText(event.reason)}`;
    case 'fault.followed':
      return `fault ${event.faultId} struck ${event.struck.join(', ')}`;
    case 'fault.unwitnessed':
      return `fault ${event.faultId} had no effect that could be seen: ${event.why}`;
    case 'fault.left':
      return `after the undo of fault ${event.faultId}: ${event.what}; mend it with: ${event.mend}`;
    case 'fault.failed':
      return `fault ${event.faultId} could not be ${event.phase}: ${event.problem}`;
    case 'faults.halted':
      return `all faults were ended by ${event.by}`;
    default:
      return undefined;
  }
}

function endText(reason: FaultRecord['ended']): string {
  if (reason === 'halted') return ', because faults were halted';
  return reason === 'run-over' ? ' with the run' : '';
}
