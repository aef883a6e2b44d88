import { WakeHeap } from '../load/wake-heap.js';
import { FlowCounters } from '../measure/flow-counters.js';
import type { Recorder } from '../measure/recorder.js';
import type { SeriesLayout } from '../measure/series.js';
import { OpenLimiter } from './open-limiter.js';
import type { ChannelFactory, ProfileRuntime } from './profile-runtime.js';
import type { RateLimiter } from './rate-limiter.js';
import type { SessionSlot } from './session-slot.js';
import type { StampClock } from './stamp-clock.js';
import type { Subscriber } from './subscriber.js';
import { TicketTable } from './ticket-table.js';
import type { VirtualClient } from './virtual-client.js';

/**
 * Lanes that hold a send buffer of 64 KiB until they are flushed. Without a bound a pump that is late, with 3,000
 * clients due, takes 200 MB for a moment, and V8 collects the whole heap for it: one late pump made the next one late.
 */
const MOST_DIRTY = 32;

/** Most operations one pump starts: sockets are read in between even when an hour's backlog is due. */
const MOST_PER_PUMP = 4_096;

interface SchedulerOptions {
  readonly seed: number;
  readonly recorder: Recorder;
  readonly layout: SeriesLayout;
  readonly profiles: number;
  readonly limit: RateLimiter;
  readonly createChannel: ChannelFactory;
  /** Number of the replica behind an endpoint, where that is one; else 0. */
  readonly endpointReplicaOf: (profile: ProfileRuntime, endpoint: number) => number;
  readonly stampClock: StampClock;
  /** Names of the stages, by index. */
  readonly stageNames: readonly string[];
  /** `performance.now()`, or a test's clock. */
  readonly clock: () => number;
  /** What the clock shows (or showed, or will show) when the run starts. */
  readonly startMs: number;
}

/**
 * What all clients and lanes of one engine thread share: the clock reading of the current turn, the wake heaps, and
 * the lists of who must be served and flushed before the turn ends. A turn is one pump or one event of a channel; the
 * clock is read once a pump, and once a read callback by the channel. Channels gather what is flushed during a read of
 * theirs into one write.
 */
export class Scheduler {
  readonly seed: number;
  readonly recorder: Recorder;
  readonly layout: SeriesLayout;
  readonly tickets: TicketTable;
  readonly createChannel: ChannelFactory;
  readonly endpointReplicaOf: SchedulerOptions['endpointReplicaOf'];
  readonly limit: RateLimiter;
  readonly openLimiter = new OpenLimiter();
  readonly clientWakes = new WakeHeap();
  readonly sessionSlotWakes = new WakeHeap();
  /** Run time at the start of this turn. */
  nowMs: number;
  /**
   * Only what is due up to here may be sent in this turn: never beyond the stage, though its end may not have been
   * noticed yet.
   */
  dueLimitMs: number;
  /** Last moment of the current stage. */
  stageLimitMs = Infinity;
  /**
   * None yet; a first value that is never used again, or V8 takes the first stage's number for a constant and compiles
   * anew at the second.
   */
  stage = -1;
  inFlight = 0;
  /** By profile. */
  readonly activeClients: Int32Array;
  readonly clients: VirtualClient[] = [];
  readonly sessionSlots: SessionSlot[] = [];
  readonly subscribers: Subscriber[] = [];
  /** Run time at which a subscriber last heard of anything; -Infinity: never. */
  lastHeardMs = -Infinity;
  /** What was published and heard of, by publisher. */
  readonly flows = new FlowCounters();
  readonly stampClock: StampClock;
  private readonly stageNames: readonly string[];
  /** False once the last stage is over or the run was stopped: nothing new is sent or opened. */
  running = true;
  /** Operations this pump may still start. */
  budget = 0;
  private readonly clock: () => number;
  private readonly startMs: number;
  /** Lists with a count of their own: truncating an array costs more than an operation does. */
  private readonly runnable: VirtualClient[] = [];
  private runnableCount = 0;
  private readonly dirty: SessionSlot[] = [];
  private dirtyCount = 0;
  /** Turns nest when a channel answers within a call of ours; only the outermost serves and flushes. */
  private depth = 0;

  constructor(options: SchedulerOptions) {
    this.seed = options.seed;
    this.recorder = options.recorder;
    this.layout = options.layout;
    this.limit = options.limit;
    this.createChannel = options.createChannel;
    this.endpointReplicaOf = options.endpointReplicaOf;
    this.stampClock = options.stampClock;
    this.stageNames = options.stageNames;
    this.tickets = new TicketTable(options.profiles);
    this.activeClients = new Int32Array(options.profiles);
    this.clock = options.clock;
    this.startMs = options.startMs;
    this.nowMs = this.clock() - this.startMs;
    this.dueLimitMs = this.nowMs;
  }

  get stageName(): string {
    return this.stageNames[this.stage] ?? '';
  }

  /** Begins a pump: reads the clock and fills the budgets. */
  beginPump(): void {
    this.beginTurn();
    this.budget = MOST_PER_PUMP;
    this.limit.fill(this.nowMs);
  }

  /** @param clockMs what the channel's clock showed; read here when absent */
  beginTurn(clockMs?: number): void {
    if (this.depth++ === 0) {
      this.setNow((clockMs ?? this.clock()) - this.startMs);
      this.budget = MOST_PER_PUMP;
    } else if (clockMs !== undefined && clockMs - this.startMs > this.nowMs) this.setNow(clockMs - this.startMs);
  }

  endTurn(): void {
    if (this.depth === 1) this.drain();
    this.depth--;
  }

  /** This client may be able to send: it is served before the turn ends. */
  markRunnable(client: VirtualClient): void {
    if (client.runnable) return;
    client.runnable = true;
    this.runnable[this.runnableCount++] = client;
  }

  /** This lane has something in its send buffer. */
  markDirty(sessionSlot: SessionSlot): void {
    if (sessionSlot.dirty) return;
    sessionSlot.dirty = true;
    this.dirty[this.dirtyCount++] = sessionSlot;
  }

  /** Operations that may be started in this turn. */
  get startable(): number {
    return Math.min(this.budget, this.limit.left);
  }

  started(count: number): void {
    this.budget -= count;
    this.limit.take(count);
    this.inFlight += count;
  }

  /** Serves who was touched, also by serving, and flushes what was written, until neither is left. */
  drain(): void {
    while (this.runnableCount > 0 || this.dirtyCount > 0) {
      for (let index = 0; index < this.runnableCount; index++) {
        const client = this.runnable[index] as VirtualClient;
        client.runnable = false;
        client.serve();
        this.flushIfMany();
      }
      this.runnableCount = 0;
      this.flush();
    }
  }

  /** Flushes what was written so far, if it is much. */
  flushIfMany(): void {
    if (this.dirtyCount >= MOST_DIRTY) this.flush();
  }

  private flush(): void {
    for (let index = 0; index < this.dirtyCount; index++) {
      const sessionSlot = this.dirty[index] as SessionSlot;
      sessionSlot.dirty = false;
      sessionSlot.flush();
    }
    this.dirtyCount = 0;
  }

  private setNow(nowMs: number): void {
    this.nowMs = nowMs;
    this.dueLimitMs = Math.min(nowMs, this.stageLimitMs);
  }
}
