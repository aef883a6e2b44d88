import { WakeHeap } from '../load/wake-heap.js';
import { FlowCounters } from '../measure/flow-counters.js';
import type { OwnShare } from '../measure/health/own-share.js';
import type { OutcomeBins } from '../measure/outcome-bins.js';
import type { Recorder } from '../measure/recorder.js';
import type { SeriesLayout } from '../measure/series.js';
import { OpenLimiter, type RateLimiter } from './limiters.js';
import type { ChannelFactory, ProfileRuntime } from './profile-runtime.js';
import type { PublicationClock } from './publication-clock.js';
import { TicketTable } from './ticket-table.js';

/**
 * A dirty session slot holds a send buffer of 64 KiB until it is flushed. Without a bound, a late pump with 3,000
 * clients due takes 200 MB for a moment, and V8 collects the whole heap for it: one late pump made the next one late.
 */
const MAX_DIRTY = 32;

/** A turn starts at most this many operations, so that sockets are read even when an hour's backlog is due. */
const MAX_STARTS_PER_TURN = 4_096;

/** A virtual client as the scheduler sees it: served before the turn ends. */
export interface Runnable {
  /** It is on the scheduler's list. */
  runnable: boolean;
  serve(): void;
}

/** A session slot as the scheduler sees it: flushed before the turn ends. */
interface Flushable {
  /** It is on the scheduler's list. */
  dirty: boolean;
  flush(): void;
}

interface SchedulerOptions {
  readonly seed: number;
  readonly recorder: Recorder;
  readonly layout: SeriesLayout;
  readonly profileCount: number;
  /** By profile: whether a schedule plans when its operations leave. */
  readonly paced: readonly boolean[];
  readonly rateLimiter: RateLimiter;
  readonly createChannel: ChannelFactory;
  /** Number of the replica behind an endpoint; 0 where there is not exactly one. */
  readonly endpointReplicaOf: (profile: ProfileRuntime, endpoint: number) => number;
  readonly publicationClock: PublicationClock;
  /** Undefined in plans without faults. */
  readonly outcomes?: OutcomeBins | undefined;
  /** By index of the stage. */
  readonly stageNames: readonly string[];
  /** `performance.now()`, or a test's clock. */
  readonly clock: () => number;
  /** The reading of the clock at the start of the run, which may be in the past or in the future. */
  readonly startMs: number;
  readonly own: OwnShare;
}

/**
 * Serves clients and flushes session slots, and holds what all of them share in one engine thread: the time of the
 * current turn, the wake heaps, the tickets, the recorder. A turn is one pump or one event of a channel. The clock is
 * read once per pump, and once per read callback by the channel. A channel gathers what is flushed during one of its
 * reads into one write.
 */
export class Scheduler {
  readonly seed: number;
  readonly recorder: Recorder;
  readonly layout: SeriesLayout;
  readonly tickets: TicketTable;
  readonly createChannel: ChannelFactory;
  readonly endpointReplicaOf: SchedulerOptions['endpointReplicaOf'];
  readonly rateLimiter: RateLimiter;
  readonly openLimiter = new OpenLimiter();
  readonly clientWakes = new WakeHeap();
  readonly sessionSlotWakes = new WakeHeap();
  /** Run time at the start of this turn. */
  nowMs: number;
  /** Run time after which that became readable which is read in this turn; see `OwnShare`. */
  sinceMs: number;
  /**
   * How late, by our own doing, came what makes room in this turn; negative: nothing makes room. Without us there would
   * have been room so much earlier.
   */
  roomLateMs = -Infinity;
  /** Answers of this turn whose own share is known. */
  answers = 0;
  /** Run time until which `limits.ratePerSecond` last held requests back. */
  limitedMs = 0;
  readonly own: OwnShare;
  /** Only what is due up to here may be sent in this turn: never beyond the stage, even if its end is noticed late. */
  dueLimitMs: number;
  /** Last moment of the current stage. */
  stageLimitMs = Infinity;
  /**
   * No stage yet. The first value must never be used again, or V8 takes the first stage's number for a constant and
   * compiles anew at the second.
   */
  stage = -1;
  inFlight = 0;
  /** By profile. */
  readonly activeClients: Int32Array;
  /** Run time at which a subscriber last received an update; -Infinity: never. */
  lastUpdateMs = -Infinity;
  /** Publications sent and received, by publisher. */
  readonly flows = new FlowCounters();
  readonly publicationClock: PublicationClock;
  /** Undefined in plans without faults, which pay for one comparison only. */
  readonly outcomes: OutcomeBins | undefined;
  private readonly stageNames: readonly string[];
  /** False once the last stage is over or the run was stopped: nothing new is sent or opened. */
  running = true;
  /** Operations that this turn may still start. */
  budget = 0;
  private readonly clock: () => number;
  /** The reading of the clock at the start of the run. It moves once at most, before the run starts. */
  startMs: number;
  /** Each list has its own count: truncating an array costs more than an operation does. */
  private readonly runnable: Runnable[] = [];
  private runnableCount = 0;
  private readonly dirty: Flushable[] = [];
  private dirtyCount = 0;
  /** Turns nest when a channel answers within one of our calls; only the outermost serves and flushes. */
  private depth = 0;

  constructor(options: SchedulerOptions) {
    this.seed = options.seed;
    this.recorder = options.recorder;
    this.layout = options.layout;
    this.rateLimiter = options.rateLimiter;
    this.createChannel = options.createChannel;
    this.endpointReplicaOf = options.endpointReplicaOf;
    this.publicationClock = options.publicationClock;
    this.outcomes = options.outcomes;
    this.stageNames = options.stageNames;
    this.tickets = new TicketTable(options.profileCount, options.paced);
    this.activeClients = new Int32Array(options.profileCount);
    this.clock = options.clock;
    this.startMs = options.startMs;
    this.own = options.own;
    this.nowMs = this.clock() - this.startMs;
    this.sinceMs = this.nowMs;
    this.dueLimitMs = this.nowMs;
  }

  get stageName(): string {
    return this.stageNames[this.stage] ?? '';
  }

  /** Begins a pump: reads the clock, and refills the budget and the rate limit. */
  beginPump(): void {
    const beforeMs = this.nowMs;
    this.beginTurn();
    if (this.depth === 1) this.roomLateMs = -Infinity;
    this.budget = MAX_STARTS_PER_TURN;
    if (this.rateLimiter.left <= 0) this.limitedMs = beforeMs;
    this.rateLimiter.fill(this.nowMs);
  }

  /** @param clockMs the channel's reading of the clock; without it the clock is read here */
  beginTurn(clockMs?: number): void {
    if (this.depth++ === 0) {
      const { own } = this;
      const atMs = clockMs ?? this.clock();
      own.enter(atMs);
      this.sinceMs = Math.min(own.sinceMs, own.socketSinceMs) - this.startMs;
      this.roomLateMs = 0;
      this.setNow(atMs - this.startMs);
      this.budget = MAX_STARTS_PER_TURN;
    } else if (clockMs !== undefined && clockMs - this.startMs > this.nowMs) this.setNow(clockMs - this.startMs);
  }

  endTurn(): void {
    if (this.depth === 1) {
      if (this.answers > 0) this.countAnswers();
      this.serveAndFlush();
    }
    this.depth--;
  }

  private countAnswers(): void {
    this.own.addIn(this.answers, this.nowMs - this.sinceMs);
    this.answers = 0;
  }

  /** This client may be able to send: it is served before the turn ends. */
  markRunnable(client: Runnable): void {
    if (client.runnable) return;
    client.runnable = true;
    this.runnable[this.runnableCount++] = client;
  }

  /** This session slot has something in its send buffer: it is flushed before the turn ends. */
  markDirty(sessionSlot: Flushable): void {
    if (sessionSlot.dirty) return;
    sessionSlot.dirty = true;
    this.dirty[this.dirtyCount++] = sessionSlot;
  }

  /** Operations that may still be started in this turn. */
  get startable(): number {
    return Math.min(this.budget, this.rateLimiter.left);
  }

  started(count: number): void {
    this.budget -= count;
    this.rateLimiter.take(count);
    this.inFlight += count;
  }

  /**
   * Serves every runnable client (serving one may make others runnable), then flushes the dirty session slots; repeats
   * until both lists are empty.
   */
  serveAndFlush(): void {
    while (this.runnableCount > 0 || this.dirtyCount > 0) {
      for (let index = 0; index < this.runnableCount; index++) {
        const client = this.runnable[index] as Runnable;
        client.runnable = false;
        client.serve();
        this.flushIfMany();
      }
      this.runnableCount = 0;
      this.flush();
    }
  }

  /** Flushes now if many session slots are dirty. */
  flushIfMany(): void {
    if (this.dirtyCount >= MAX_DIRTY) this.flush();
  }

  private flush(): void {
    if (this.dirtyCount === 0) return;
    for (let index = 0; index < this.dirtyCount; index++) {
      const sessionSlot = this.dirty[index] as Flushable;
      sessionSlot.dirty = false;
      sessionSlot.flush();
    }
    this.dirtyCount = 0;
    if (this.tickets.hasUnwritten) this.markWritten();
  }

  /** The clock is read once for all that was flushed together. */
  private markWritten(): void {
    this.tickets.markWritten(this.readClock(), this.own);
  }

  /** Reads the clock within a turn. @returns run time */
  readClock(): number {
    const atMs = this.clock();
    this.own.mark(atMs);
    return atMs - this.startMs;
  }

  private setNow(nowMs: number): void {
    this.nowMs = nowMs;
    this.dueLimitMs = Math.min(nowMs, this.stageLimitMs);
  }
}
