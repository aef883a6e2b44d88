import type { MisbehavePlan, ReconnectPlan } from '../../scenarios/schema/misbehave.js';
import { type Arrivals, IdleArrivals } from '../load/arrivals.js';
import { drawMisbehaviour } from '../load/draw-misbehaviour.js';
import type { Failure } from '../measure/failure.js';
import { ANSWERED_NORMALLY, misbehaviourKey } from '../protocol/misbehaviour-key.js';
import type { ProfileRuntime } from './profile-runtime.js';
import type { Scheduler } from './scheduler.js';
import type { SessionSlot } from './session-slot.js';

interface ClientMisbehaviourOptions {
  readonly slot: number;
  readonly profile: ProfileRuntime;
  readonly sessionSlot: SessionSlot | undefined;
  readonly arrivals: Arrivals;
}

/** Kinds of misbehaviour that concern every operation of a client. */
const CONSTANT_KINDS = ['readRate', 'writeRate', 'idle'] as const;

/**
 * The misbehaviour of one client: when it breaks off its connections, when its silence is over, and how its operations
 * are counted. Every misbehaviour is counted with the server's reaction; a failure that it caused is counted as
 * `aborted_by_us` or `provoked_by_us`, never as an error of the target.
 */
export class ClientMisbehaviour {
  private readonly plan: MisbehavePlan;
  private readonly constantKinds: readonly string[];
  private readonly reconnects: ReconnectTimes | undefined;
  /** It broke off its connections and has had no answer since. */
  private away = false;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly options: ClientMisbehaviourOptions,
  ) {
    const { plan } = options.profile;
    this.plan = plan.misbehave;
    const { readBytesPerSecond: readRate, writeBytesPerSecond: writeRate, idleMs: idle, reconnect } = plan.misbehave;
    const given = { readRate, writeRate, idle };
    this.constantKinds = CONSTANT_KINDS.filter((kind) => given[kind] !== undefined);
    if (reconnect !== undefined)
      this.reconnects = new ReconnectTimes(reconnect, (options.slot - plan.firstSlot) / plan.clients, scheduler.nowMs);
  }

  /** When the client must be woken although nothing is due. */
  get wakeMs(): number {
    return this.reconnects?.nextMs ?? Infinity;
  }

  onServe(active: boolean): void {
    const { sessionSlot, arrivals } = this.options;
    if (this.reconnects?.isDue(this.scheduler.nowMs) === true && active && this.scheduler.running) this.reconnect();
    if (arrivals instanceof IdleArrivals)
      arrivals.openSince(sessionSlot?.hasSession === true ? sessionSlot.openedAtMs : Infinity);
  }

  /**
   * A session was refused; if the client is slow on purpose, that is its own doing.
   * @returns how to count the operations that waited for the session
   */
  refused(failure: Failure): Failure {
    for (const kind of this.constantKinds)
      this.record(kind, failure.category, failure, 'connect', this.scheduler.stage);
    return this.blame(failure);
  }

  /** @returns how to count the operation in this row: undefined when it succeeded */
  judge(row: number, failure: Failure | undefined): Failure | undefined {
    const sequence = this.scheduler.tickets.sequence[row] as number;
    const kind = drawMisbehaviour(this.plan, { seed: this.scheduler.seed, slot: this.options.slot, sequence });
    if (kind !== undefined) {
      this.count(
        row,
        kind,
        failure?.category === 'aborted_by_us' ? 'closed' : (failure?.category ?? ANSWERED_NORMALLY),
        failure,
      );
      const detail = failure?.detail ?? 'the server answered with a result';
      return { category: kind.startsWith('abort/') ? 'aborted_by_us' : 'provoked_by_us', detail: `${kind}: ${detail}` };
    }
    if (failure?.category === 'aborted_by_us') return failure;
    this.cameBack(row, failure);
    for (const constantKind of this.constantKinds)
      this.count(row, constantKind, failure?.category ?? ANSWERED_NORMALLY, failure);
    return failure === undefined ? undefined : this.blame(failure);
  }

  private blame(failure: Failure): Failure {
    return this.constantKinds.length === 0
      ? failure
      : { category: 'provoked_by_us', detail: `${this.constantKinds.join(', ')}: ${failure.detail}` };
  }

  private reconnect(): void {
    const { sessionSlot } = this.options;
    if (this.plan.reconnect === undefined || sessionSlot?.disconnect(this.plan.reconnect.session) !== true) return;
    this.record('reconnect', 'cut', undefined, 'connect', this.scheduler.stage);
    this.away = true;
  }

  private cameBack(row: number, failure: Failure | undefined): void {
    if (!this.away) return;
    this.away = false;
    this.count(row, 'reconnect/return', failure?.category ?? ANSWERED_NORMALLY, failure);
  }

  /** Counts in the stage in which the operation was due. */
  private count(row: number, kind: string, reaction: string, failure: Failure | undefined): void {
    const { stage, operation } = this.scheduler.layout.place(this.scheduler.tickets.series[row] as number);
    this.record(kind, reaction, failure, this.options.profile.operationName(operation), stage);
  }

  private record(kind: string, reaction: string, failure: Failure | undefined, operation: string, stage: number): void {
    const { profile } = this.options;
    const group = this.scheduler.layout.group(stage, profile.index);
    this.scheduler.recorder.recordMisbehaved(group, misbehaviourKey(kind, reaction), failure, this.scheduler.nowMs, {
      profile: profile.plan.name,
      operation,
    });
  }
}

/**
 * When a client breaks off its connections. The run times are the same on every worker, so clients of several workers
 * can do it together.
 */
export class ReconnectTimes {
  nextMs: number;
  private readonly everyMs: number;

  /** @param share position of the client within its profile, 0 to 1 @param fromMs run time; earlier times are over */
  constructor({ everyMs, together }: ReconnectPlan, share: number, fromMs: number) {
    this.everyMs = everyMs;
    const first = everyMs * (together ? 1 : 1 + share);
    this.nextMs = first + everyMs * Math.max(0, Math.ceil((fromMs - first) / everyMs));
  }

  /** A time that is noticed late, because the thread was busy, counts once; those missed are not made up for. */
  isDue(nowMs: number): boolean {
    if (nowMs < this.nextMs) return false;
    this.nextMs += this.everyMs * (1 + Math.floor((nowMs - this.nextMs) / this.everyMs));
    return true;
  }
}
