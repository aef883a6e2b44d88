import type { MisbehavePlan } from '../../scenarios/schema/misbehave.js';
import type { Arrivals } from '../load/arrivals.js';
import { IdleArrivals } from '../load/idle-arrivals.js';
import type { Failure } from '../measure/failure.js';
import { drawDeed } from '../misbehave/deed.js';
import { ANSWERED, misbehavedKey } from '../protocol/misbehaved.js';
import type { Floor } from './floor.js';
import type { Lane } from './lane.js';
import type { ProfileRuntime } from './profile-runtime.js';
import { StormTimes } from './storm-times.js';

export interface MisconductOptions {
  readonly slot: number;
  readonly profile: ProfileRuntime;
  readonly lane: Lane | undefined;
  readonly arrivals: Arrivals;
}

/** What misbehaves by being how it is: of every operation. */
const MANNERS = ['readRate', 'writeRate', 'idle'] as const;

/**
 * The bad behaviour of one client: when it breaks off its connections, when its silence is over, and what its
 * operations count as. Every misdeed is counted with what the server made of it; what failed by our doing is in the
 * books as `aborted_by_us` or `provoked_by_us`, never as an error of the target.
 */
export class Misconduct {
  private readonly plan: MisbehavePlan;
  private readonly manners: readonly string[];
  private readonly storms: StormTimes | undefined;
  /** It lost its connections and has not had an answer since. */
  private away = false;

  constructor(
    private readonly floor: Floor,
    private readonly options: MisconductOptions,
  ) {
    const { plan } = options.profile;
    this.plan = plan.misbehave;
    const { readBytesPerSecond: readRate, writeBytesPerSecond: writeRate, idleMs: idle, reconnect } = plan.misbehave;
    const given = { readRate, writeRate, idle };
    this.manners = MANNERS.filter((manner) => given[manner] !== undefined);
    if (reconnect !== undefined)
      this.storms = new StormTimes(reconnect, (options.slot - plan.firstSlot) / plan.clients, floor.nowMs);
  }

  /** When it must be woken although nothing is due. */
  get wakeMs(): number {
    return this.storms?.nextMs ?? Infinity;
  }

  /** Whenever its client is served. */
  act(active: boolean): void {
    const { lane, arrivals } = this.options;
    if (this.storms?.isDue(this.floor.nowMs) === true && active && this.floor.running) this.breakOff();
    if (arrivals instanceof IdleArrivals) arrivals.openSince(lane?.hasSession === true ? lane.openedAtMs : Infinity);
  }

  /**
   * A session was refused: for one who is slow on purpose, by its own doing. @returns what the books say of those that
   * waited for it
   */
  refused(failure: Failure): Failure {
    for (const manner of this.manners) this.record(manner, failure.category, failure, 'connect', this.floor.stage);
    return this.blame(failure);
  }

  /** @returns what the books say of the operation in this row: undefined when it succeeded */
  judge(row: number, failure: Failure | undefined): Failure | undefined {
    const sequence = this.floor.tickets.sequence[row] as number;
    const deed = drawDeed(this.plan, { seed: this.floor.seed, slot: this.options.slot, sequence });
    if (deed !== undefined) {
      this.count(
        row,
        deed,
        failure?.category === 'aborted_by_us' ? 'closed' : (failure?.category ?? ANSWERED),
        failure,
      );
      const detail = failure?.detail ?? 'the server answered with a result';
      return { category: deed.startsWith('abort/') ? 'aborted_by_us' : 'provoked_by_us', detail: `${deed}: ${detail}` };
    }
    if (failure?.category === 'aborted_by_us') return failure;
    this.cameBack(row, failure);
    for (const manner of this.manners) this.count(row, manner, failure?.category ?? ANSWERED, failure);
    return failure === undefined ? undefined : this.blame(failure);
  }

  private blame(failure: Failure): Failure {
    return this.manners.length === 0
      ? failure
      : { category: 'provoked_by_us', detail: `${this.manners.join(', ')}: ${failure.detail}` };
  }

  private breakOff(): void {
    const { lane } = this.options;
    if (this.plan.reconnect === undefined || lane?.breakOff(this.plan.reconnect.session) !== true) return;
    this.record('reconnect', 'cut', undefined, 'connect', this.floor.stage);
    this.away = true;
  }

  private cameBack(row: number, failure: Failure | undefined): void {
    if (!this.away) return;
    this.away = false;
    this.count(row, 'reconnect/return', failure?.category ?? ANSWERED, failure);
  }

  /** In the stage the operation was due in. */
  private count(row: number, kind: string, reaction: string, failure: Failure | undefined): void {
    const { stage, operation } = this.floor.layout.place(this.floor.tickets.series[row] as number);
    this.record(kind, reaction, failure, this.options.profile.operationName(operation), stage);
  }

  private record(kind: string, reaction: string, failure: Failure | undefined, operation: string, stage: number): void {
    const { profile } = this.options;
    const group = this.floor.layout.group(stage, profile.index);
    this.floor.recorder.misbehaved(group, misbehavedKey(kind, reaction), failure, this.floor.nowMs, {
      profile: profile.plan.name,
      operation,
    });
  }
}
