import type { MisbehavePlan, ReconnectPlan } from '../../scenarios/schema/misbehave.js';
import { type Arrivals, IdleArrivals } from '../load/arrivals.js';
import type { Failure } from '../measure/failure.js';
import { drawMisbehaviour } from '../misbehave/misbehaviour-kind.js';
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

/** What misbehaves by being how it is: of every operation. */
const CONSTANT_KINDS = ['readRate', 'writeRate', 'idle'] as const;

/**
 * The bad behaviour of one client: when it breaks off its connections, when its silence is over, and what its
 * operations count as. Every misdeed is counted with what the server made of it; what failed by our doing is in the
 * books as `aborted_by_us` or `provoked_by_us`, never as an error of the target.
 */
export class ClientMisbehaviour {
  private readonly plan: MisbehavePlan;
  private readonly constantKinds: readonly string[];
  private readonly reconnects: ReconnectTimes | undefined;
  /** It lost its connections and has not had an answer since. */
  private away = false;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly options: ClientMisbehaviourOptions,
  ) {
    const { plan } = options.profile;
    this.plan = plan.misbehave;
    const { readBytesPerSecond: readRate, writeBytesPerSecond: writeRate, idleMs: idle, reconnect } = plan.misbehave;
    const given = { readRate, writeRate, idle };
    this.constantKinds = CONSTANT_KINDS.filter((constantKind) => given[constantKind] !== undefined);
    if (reconnect !== undefined)
      this.reconnects = new ReconnectTimes(reconnect, (options.slot - plan.firstSlot) / plan.clients, scheduler.nowMs);
  }

  /** When it must be woken although nothing is due. */
  get wakeMs(): number {
    return this.reconnects?.nextMs ?? Infinity;
  }

  /** Whenever its client is served. */
  act(active: boolean): void {
    const { sessionSlot, arrivals } = this.options;
    if (this.reconnects?.isDue(this.scheduler.nowMs) === true && active && this.scheduler.running) this.breakOff();
    if (arrivals instanceof IdleArrivals)
      arrivals.openSince(sessionSlot?.hasSession === true ? sessionSlot.openedAtMs : Infinity);
  }

  /**
   * A session was refused: for one who is slow on purpose, by its own doing. @returns what the books say of those that
   * waited for it
   */
  refused(failure: Failure): Failure {
    for (const constantKind of this.constantKinds)
      this.record(constantKind, failure.category, failure, 'connect', this.scheduler.stage);
    return this.blame(failure);
  }

  /** @returns what the books say of the operation in this row: undefined when it succeeded */
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

  private breakOff(): void {
    const { sessionSlot } = this.options;
    if (this.plan.reconnect === undefined || sessionSlot?.breakOff(this.plan.reconnect.session) !== true) return;
    this.record('reconnect', 'cut', undefined, 'connect', this.scheduler.stage);
    this.away = true;
  }

  private cameBack(row: number, failure: Failure | undefined): void {
    if (!this.away) return;
    this.away = false;
    this.count(row, 'reconnect/return', failure?.category ?? ANSWERED_NORMALLY, failure);
  }

  /** In the stage the operation was due in. */
  private count(row: number, kind: string, reaction: string, failure: Failure | undefined): void {
    const { stage, operation } = this.scheduler.layout.place(this.scheduler.tickets.series[row] as number);
    this.record(kind, reaction, failure, this.options.profile.operationName(operation), stage);
  }

  private record(kind: string, reaction: string, failure: Failure | undefined, operation: string, stage: number): void {
    const { profile } = this.options;
    const group = this.scheduler.layout.group(stage, profile.index);
    this.scheduler.recorder.misbehaved(group, misbehaviourKey(kind, reaction), failure, this.scheduler.nowMs, {
      profile: profile.plan.name,
      operation,
    });
  }
}

/**
 * When a client loses its connections: the same run times on every worker, so that clients of several lose theirs
 * together.
 */
export class ReconnectTimes {
  nextMs: number;
  private readonly everyMs: number;

  /** @param place of the client within its profile, 0 to 1 @param fromMs run time; what lies before is over */
  constructor({ everyMs, together }: ReconnectPlan, place: number, fromMs: number) {
    this.everyMs = everyMs;
    const first = everyMs * (together ? 1 : 1 + place);
    this.nextMs = first + everyMs * Math.max(0, Math.ceil((fromMs - first) / everyMs));
  }

  /** One that comes late, because its thread was busy, is made once and not made up for. */
  isDue(nowMs: number): boolean {
    if (nowMs < this.nextMs) return false;
    this.nextMs += this.everyMs * (1 + Math.floor((nowMs - this.nextMs) / this.everyMs));
    return true;
  }
}
