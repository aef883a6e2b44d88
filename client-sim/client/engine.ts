import { type LoadStage, stageEndMs } from '../load/shape.js';
import type { Failure } from '../measure/failure.js';
import type { Snapshot } from '../measure/snapshot.js';
import type { Floor } from './floor.js';
import type { ProfileRuntime } from './profile-runtime.js';
import type { SnapshotTaker } from './snapshot-taker.js';

/** Snapshots are cut at each whole second of run time (and at each end of a stage). */
const TICK_MS = 1_000;
/**
 * What was published last is still on its way to its subscribers when its publisher has its answer: they listen until
 * nothing has come for so long.
 */
const QUIET_MS = 2_000;
/** At least so long for sessions to say goodbye, however short the drain was. */
const GOODBYE_MS = 2_000;

/**
 * No limit, and still a small integer: Infinity would change the layout of the floor, on which V8 throws away the
 * compiled code of everything that touches it (measured at 200,000/s: 100 ms of send lag at each end of a stage).
 */
const NO_BUDGET = 0x3fffffff;

export type StopMode = 'drain' | 'now';

/**
 * Takes part: waits for the start, sends · draining: waits for the last answers · closing: ends sessions · finished.
 */
type Phase = 'running' | 'draining' | 'closing' | 'finished';

export interface EngineOptions {
  readonly floor: Floor;
  readonly profiles: readonly ProfileRuntime[];
  readonly stages: readonly LoadStage[];
  readonly drainMs: number;
  /** Nothing of this engine happens before this run time. */
  readonly joinMs: number;
  /** This thread's share of the plan's `limits.bytes`. */
  readonly bytesLimit: number;
  readonly snapshots: SnapshotTaker;
  readonly onSnapshot: (snapshot: Snapshot) => void;
  readonly onFinished: (last: Snapshot) => void;
  /** This engine stops its load by itself. */
  readonly onLimit: (problem: string) => void;
}

/**
 * Drives the clients of one thread through the run: `pump` is called by the pacer, everything else follows from time.
 */
export class Engine {
  private phase: Phase = 'running';
  private readonly floor: Floor;
  private stage: number;
  private tickMs: number;
  private deadlineMs = Infinity;
  private drainFromMs = 0;

  constructor(private readonly options: EngineOptions) {
    this.floor = options.floor;
    this.stage = options.stages.findIndex((stage) => stageEndMs(stage) > options.joinMs);
    this.tickMs = (Math.floor(options.joinMs / TICK_MS) + 1) * TICK_MS;
    if (this.stage < 0) {
      this.stage = options.stages.length - 1;
      this.drain(options.joinMs);
    } else this.enterStage();
  }

  /** Sends everything due by elapsed time, and lets time pass: timeouts, ends of stages, snapshots, the drain. */
  readonly pump = (): void => {
    if (this.phase === 'finished') return;
    const floor = this.floor;
    floor.beginPump();
    if (floor.nowMs >= 0 || this.phase !== 'running') {
      this.passBoundaries();
      this.expire();
      this.wake();
      floor.settle();
      this.watchLimits();
      this.advance();
    }
    floor.leave();
  };

  /** drain: nothing new is sent, answers are awaited; what is due and unsent is counted. now: everything is cut. */
  stop(mode: StopMode): void {
    if (this.phase === 'finished') return;
    this.floor.beginPump();
    if (this.phase === 'running') {
      this.giveUp(Math.max(0, this.floor.nowMs), true);
      this.drain(Math.max(0, this.floor.nowMs));
    }
    if (mode === 'now') this.cut();
    this.floor.leave();
  }

  // ---- time passes ----

  private passBoundaries(): void {
    const floor = this.floor;
    for (;;) {
      const endMs = this.phase === 'running' ? this.stageEnd() : Infinity;
      const boundaryMs = Math.min(this.tickMs, endMs);
      if (boundaryMs > floor.nowMs) return;
      if (boundaryMs === endMs) this.closeStage(endMs);
      else this.snapshot(boundaryMs);
      if (boundaryMs === this.tickMs) this.tickMs += TICK_MS;
    }
  }

  /** What was due in the stage gets its chance, however late this is noticed; what then still waits is given up. */
  private closeStage(endMs: number): void {
    const floor = this.floor;
    floor.budget = NO_BUDGET;
    this.wake();
    floor.settle();
    this.giveUp(endMs, false);
    this.snapshot(endMs);
    if (this.stage === this.options.stages.length - 1) {
      this.drain(endMs);
      return;
    }
    this.stage++;
    this.enterStage();
    for (const client of floor.clients) {
      client.serve();
      floor.relieve();
    }
  }

  private enterStage(): void {
    const floor = this.floor;
    const endMs = this.stageEnd();
    floor.stage = this.stage;
    floor.stageLimitMs = endMs - endMs * Number.EPSILON;
    floor.dueLimitMs = Math.min(floor.nowMs, floor.stageLimitMs);
    for (const subscriber of floor.subscribers) subscriber.enterStage();
  }

  private stageEnd(): number {
    const stage = this.options.stages[this.stage];
    return stage === undefined ? 0 : stageEndMs(stage);
  }

  private wake(): void {
    const floor = this.floor;
    while (floor.laneWakes.earliest <= floor.nowMs) floor.lanes[floor.laneWakes.pop()]?.wake();
    while (floor.clientWakes.earliest <= floor.dueLimitMs && floor.startable > 0) {
      floor.clients[floor.clientWakes.pop()]?.serve();
      floor.relieve();
    }
  }

  private expire(): void {
    const floor = this.floor;
    const tickets = floor.tickets;
    for (const profile of this.options.profiles) {
      const timeoutMs = profile.plan.timeoutMs;
      for (let row = tickets.oldest(profile.index); row >= 0; row = tickets.oldest(profile.index)) {
        if ((tickets.sent[row] as number) + timeoutMs > floor.nowMs) break;
        this.endWait(row, { category: 'timeout', detail: `no answer within ${timeoutMs} ms of sending` });
      }
    }
  }

  private watchLimits(): void {
    if (this.phase !== 'running') return;
    let bytes = 0;
    for (const { counters } of this.options.profiles) bytes += counters.bytesSent + counters.bytesReceived;
    if (bytes < this.options.bytesLimit) return;
    this.giveUp(this.floor.nowMs, true);
    this.drain(this.floor.nowMs);
    this.options.onLimit(`limits.bytes: this share of ${this.options.bytesLimit} bytes is used up`);
  }

  // ---- the end ----

  private giveUp(beforeMs: number, stopped: boolean): void {
    for (const client of this.floor.clients) client.forget(beforeMs, stopped);
  }

  private drain(fromMs: number): void {
    const floor = this.floor;
    this.phase = 'draining';
    this.drainFromMs = fromMs;
    this.deadlineMs = fromMs + this.options.drainMs;
    floor.running = false;
    floor.activeClients.fill(0);
    floor.stage = this.stage;
    for (const client of floor.clients) client.serve();
  }

  private advance(): void {
    const floor = this.floor;
    if (this.phase === 'draining' && ((floor.inFlight === 0 && this.quiet()) || floor.nowMs >= this.deadlineMs))
      this.close();
    if (this.phase !== 'closing') return;
    const open = floor.lanes.some((lane) => lane.state === 'opening' || lane.hasSession);
    if (!open || floor.nowMs >= this.deadlineMs) this.finish();
  }

  private quiet(): boolean {
    const floor = this.floor;
    return floor.subscribers.length === 0 || floor.nowMs - Math.max(floor.lastHeardMs, this.drainFromMs) >= QUIET_MS;
  }

  private close(): void {
    const floor = this.floor;
    this.phase = 'closing';
    for (let row = 0; row < floor.tickets.rows; row++)
      if ((floor.tickets.series[row] as number) >= 0) this.endWait(row, undefined);
    this.deadlineMs = Math.max(this.deadlineMs, floor.nowMs + GOODBYE_MS);
    for (const lane of floor.lanes) lane.finish();
  }

  private cut(): void {
    const floor = this.floor;
    const failure: Failure = { category: 'aborted_by_us', detail: 'the run was stopped at once' };
    for (let row = 0; row < floor.tickets.rows; row++)
      if ((floor.tickets.series[row] as number) >= 0) this.endWait(row, failure);
    this.finish();
  }

  /** @param failure undefined: lost, no answer when the drain ended */
  private endWait(row: number, failure: Failure | undefined): void {
    const { clients, lanes, tickets } = this.floor;
    const client = clients[tickets.client[row] as number];
    const lane = lanes[tickets.lane[row] as number];
    if (failure === undefined) client?.lost(row);
    else client?.answered(row, failure, lane?.home ?? 0);
    lane?.abandon(row);
  }

  private finish(): void {
    const floor = this.floor;
    for (const lane of floor.lanes) lane.destroy();
    this.phase = 'finished';
    const toMs = Math.max(Math.ceil(floor.nowMs), this.tickMs - TICK_MS);
    this.options.onFinished(this.options.snapshots.take(toMs, this.stage));
  }

  private snapshot(toMs: number): void {
    this.options.onSnapshot(this.options.snapshots.take(toMs, this.stage));
  }
}
