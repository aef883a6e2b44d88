import type { ProfilePlan, WorkerPlan } from '../../scenarios/schema/plan.js';
import { type LoadStage, stageEndMs } from '../load/load-shape.js';
import type { RequestTemplate } from '../mcp/compile-request.js';
import type { Failure } from '../measure/failure.js';
import type { LoopMonitor } from '../measure/loop-monitor.js';
import { Recorder } from '../measure/recorder.js';
import type { ReplicaNames } from '../measure/replica-names.js';
import { SeriesLayout } from '../measure/series.js';
import type { Snapshot } from '../measure/snapshot.js';
import type { AdjustOrder } from '../protocol/messages.js';
import type { ClientPlace } from '../threads/divide-clients.js';
import { Population } from './population.js';
import { type ChannelFactory, ProfileRuntime } from './profile-runtime.js';
import { RateLimiter } from './rate-limiter.js';
import { Scheduler } from './scheduler.js';
import { SnapshotTaker } from './snapshot-taker.js';
import { type RunClock, StampClock } from './stamp-clock.js';

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
const UNLIMITED_BUDGET = 0x3fffffff;

export type StopMode = 'drain' | 'now';

/**
 * Takes part: waits for the start, sends · draining: waits for the last answers · closing: ends sessions · finished.
 */
type Phase = 'running' | 'draining' | 'closing' | 'finished';

interface EngineOptions {
  readonly scheduler: Scheduler;
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
class Engine {
  private phase: Phase = 'running';
  private readonly scheduler: Scheduler;
  private stage: number;
  private tickMs: number;
  private deadlineMs = Infinity;
  private drainFromMs = 0;

  constructor(private readonly options: EngineOptions) {
    this.scheduler = options.scheduler;
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
    const scheduler = this.scheduler;
    scheduler.beginPump();
    if (scheduler.nowMs >= 0 || this.phase !== 'running') {
      this.passBoundaries();
      this.expire();
      this.wake();
      scheduler.drain();
      this.watchLimits();
      this.advance();
    }
    scheduler.endTurn();
  };

  /** drain: nothing new is sent, answers are awaited; what is due and unsent is counted. now: everything is cut. */
  stop(mode: StopMode): void {
    if (this.phase === 'finished') return;
    this.scheduler.beginPump();
    if (this.phase === 'running') {
      this.giveUp(Math.max(0, this.scheduler.nowMs), true);
      this.drain(Math.max(0, this.scheduler.nowMs));
    }
    if (mode === 'now') this.cut();
    this.scheduler.endTurn();
  }

  // ---- time passes ----

  private passBoundaries(): void {
    const scheduler = this.scheduler;
    for (;;) {
      const endMs = this.phase === 'running' ? this.stageEnd() : Infinity;
      const boundaryMs = Math.min(this.tickMs, endMs);
      if (boundaryMs > scheduler.nowMs) return;
      if (boundaryMs === endMs) this.closeStage(endMs);
      else this.snapshot(boundaryMs);
      if (boundaryMs === this.tickMs) this.tickMs += TICK_MS;
    }
  }

  /** What was due in the stage gets its chance, however late this is noticed; what then still waits is given up. */
  private closeStage(endMs: number): void {
    const scheduler = this.scheduler;
    scheduler.budget = UNLIMITED_BUDGET;
    this.wake();
    scheduler.drain();
    this.giveUp(endMs, false);
    this.snapshot(endMs);
    if (this.stage === this.options.stages.length - 1) {
      this.drain(endMs);
      return;
    }
    this.stage++;
    this.enterStage();
    for (const client of scheduler.clients) {
      client.serve();
      scheduler.flushIfMany();
    }
  }

  private enterStage(): void {
    const scheduler = this.scheduler;
    const endMs = this.stageEnd();
    scheduler.stage = this.stage;
    scheduler.stageLimitMs = endMs - endMs * Number.EPSILON;
    scheduler.dueLimitMs = Math.min(scheduler.nowMs, scheduler.stageLimitMs);
    for (const subscriber of scheduler.subscribers) subscriber.enterStage();
  }

  private stageEnd(): number {
    const stage = this.options.stages[this.stage];
    return stage === undefined ? 0 : stageEndMs(stage);
  }

  private wake(): void {
    const scheduler = this.scheduler;
    while (scheduler.sessionSlotWakes.earliest <= scheduler.nowMs)
      scheduler.sessionSlots[scheduler.sessionSlotWakes.pop()]?.wake();
    while (scheduler.clientWakes.earliest <= scheduler.dueLimitMs && scheduler.startable > 0) {
      scheduler.clients[scheduler.clientWakes.pop()]?.serve();
      scheduler.flushIfMany();
    }
  }

  private expire(): void {
    const scheduler = this.scheduler;
    const tickets = scheduler.tickets;
    for (const profile of this.options.profiles) {
      const timeoutMs = profile.plan.timeoutMs;
      for (let row = tickets.oldest(profile.index); row >= 0; row = tickets.oldest(profile.index)) {
        if ((tickets.sent[row] as number) + timeoutMs > scheduler.nowMs) break;
        this.endWait(row, { category: 'timeout', detail: `no answer within ${timeoutMs} ms of sending` });
      }
    }
  }

  private watchLimits(): void {
    if (this.phase !== 'running') return;
    let bytes = 0;
    for (const { counters } of this.options.profiles) bytes += counters.bytesSent + counters.bytesReceived;
    if (bytes < this.options.bytesLimit) return;
    this.giveUp(this.scheduler.nowMs, true);
    this.drain(this.scheduler.nowMs);
    this.options.onLimit(`limits.bytes: this share of ${this.options.bytesLimit} bytes is used up`);
  }

  // ---- the end ----

  private giveUp(beforeMs: number, stopped: boolean): void {
    for (const client of this.scheduler.clients) client.forget(beforeMs, stopped);
  }

  private drain(fromMs: number): void {
    const scheduler = this.scheduler;
    this.phase = 'draining';
    this.drainFromMs = fromMs;
    this.deadlineMs = fromMs + this.options.drainMs;
    scheduler.running = false;
    scheduler.activeClients.fill(0);
    scheduler.stage = this.stage;
    for (const client of scheduler.clients) client.serve();
  }

  private advance(): void {
    const scheduler = this.scheduler;
    if (this.phase === 'draining' && ((scheduler.inFlight === 0 && this.quiet()) || scheduler.nowMs >= this.deadlineMs))
      this.close();
    if (this.phase !== 'closing') return;
    const open = scheduler.sessionSlots.some(
      (sessionSlot) => sessionSlot.state === 'opening' || sessionSlot.hasSession,
    );
    if (!open || scheduler.nowMs >= this.deadlineMs) this.finish();
  }

  private quiet(): boolean {
    const scheduler = this.scheduler;
    return (
      scheduler.subscribers.length === 0 ||
      scheduler.nowMs - Math.max(scheduler.lastHeardMs, this.drainFromMs) >= QUIET_MS
    );
  }

  private close(): void {
    const scheduler = this.scheduler;
    this.phase = 'closing';
    for (let row = 0; row < scheduler.tickets.rows; row++)
      if ((scheduler.tickets.series[row] as number) >= 0) this.endWait(row, undefined);
    this.deadlineMs = Math.max(this.deadlineMs, scheduler.nowMs + GOODBYE_MS);
    for (const sessionSlot of scheduler.sessionSlots) sessionSlot.finish();
  }

  private cut(): void {
    const scheduler = this.scheduler;
    const failure: Failure = { category: 'aborted_by_us', detail: 'the run was stopped at once' };
    for (let row = 0; row < scheduler.tickets.rows; row++)
      if ((scheduler.tickets.series[row] as number) >= 0) this.endWait(row, failure);
    this.finish();
  }

  /** @param failure undefined: lost, no answer when the drain ended */
  private endWait(row: number, failure: Failure | undefined): void {
    const { clients, sessionSlots, tickets } = this.scheduler;
    const client = clients[tickets.client[row] as number];
    const sessionSlot = sessionSlots[tickets.sessionSlot[row] as number];
    if (failure === undefined) client?.lost(row);
    else client?.answered(row, failure, sessionSlot?.endpointReplica ?? 0);
    sessionSlot?.abandon(row);
  }

  private finish(): void {
    const scheduler = this.scheduler;
    for (const sessionSlot of scheduler.sessionSlots) sessionSlot.destroy();
    this.phase = 'finished';
    const toMs = Math.max(Math.ceil(scheduler.nowMs), this.tickMs - TICK_MS);
    this.options.onFinished(this.options.snapshots.take(toMs, this.stage));
  }

  private snapshot(toMs: number): void {
    this.options.onSnapshot(this.options.snapshots.take(toMs, this.stage));
  }
}

interface ThreadEngineOptions {
  readonly plan: WorkerPlan;
  readonly places: readonly ClientPlace[];
  /** How many endpoints a profile has, and the name of the one replica behind each, where it is one. */
  readonly endpoints: (profile: number) => readonly { readonly replica?: string }[];
  /** Shared with the channels, which number the replicas that answer. */
  readonly replicas: ReplicaNames;
  readonly joinMs: number;
  /** This thread's share of the plan's limits. */
  readonly limits: { readonly ratePerSecond: number; readonly bytes: number };
  readonly clock: () => number;
  readonly runClock: RunClock;
  /** What `clock` shows when the run starts. */
  readonly startMs: number;
  readonly loop: LoopMonitor;
  readonly templates: (profile: ProfilePlan, index: number) => readonly RequestTemplate[];
  readonly createChannel: ChannelFactory;
  readonly onSnapshot: (snapshot: Snapshot) => void;
  readonly onFinished: (last: Snapshot) => void;
  readonly onLimit: (problem: string) => void;
}

/** What drives one thread's load, seen from outside. */
export interface ThreadEngine {
  readonly pump: () => void;
  add(places: readonly ClientPlace[], joinMs: number): void;
  adjust(order: Pick<AdjustOrder, 'stage' | 'atMs' | 'load' | 'profile'>): void;
  stop(mode: StopMode): void;
}

/** Puts the parts of one thread together; knows neither threads nor sockets. */
export function createEngine(options: ThreadEngineOptions): ThreadEngine {
  const { plan } = options;
  const layout = new SeriesLayout(plan);
  const scheduler = new Scheduler({
    seed: plan.seed,
    recorder: new Recorder(layout, options.replicas),
    layout,
    profiles: plan.profiles.length,
    limit: new RateLimiter(options.limits.ratePerSecond, 0),
    createChannel: options.createChannel,
    endpointReplicaOf: ({ index }, endpoint) =>
      options.replicas.numberOf(options.endpoints(index)[endpoint]?.replica ?? ''),
    stampClock: new StampClock(options.runClock),
    stageNames: plan.stages.map(({ name }) => name),
    clock: options.clock,
    startMs: options.startMs,
  });
  const profiles = plan.profiles.map(
    (profile, index) => new ProfileRuntime(index, profile, options.templates(profile, index)),
  );
  const population = new Population(scheduler, profiles, (profile) => options.endpoints(profile).length, plan.stages);
  population.add(options.places, options.joinMs);
  const engine = new Engine({
    scheduler,
    profiles,
    stages: plan.stages,
    drainMs: plan.drainMs,
    joinMs: options.joinMs,
    bytesLimit: options.limits.bytes,
    snapshots: new SnapshotTaker(scheduler, profiles, options.loop),
    onSnapshot: options.onSnapshot,
    onFinished: options.onFinished,
    onLimit: options.onLimit,
  });
  return {
    pump: engine.pump,
    add: (places, joinMs) => population.add(places, joinMs),
    adjust: (order) => {
      scheduler.beginTurn();
      population.adjust(order, scheduler.nowMs);
      scheduler.endTurn();
    },
    stop: (mode) => engine.stop(mode),
  };
}
