import type { ProfilePlan, WorkerPlan } from '../../scenarios/schema/plan.js';
import { type LoadStage, stageEndMs } from '../load/load-shape.js';
import type { RequestTemplate } from '../mcp/compile-request.js';
import type { Failure } from '../measure/failure.js';
import type { LoopMonitor } from '../measure/health/loop-monitor.js';
import type { OwnShare } from '../measure/health/own-share.js';
import { OutcomeBins } from '../measure/outcome-bins.js';
import { Recorder } from '../measure/recorder.js';
import type { ReplicaNames } from '../measure/replica-names.js';
import { SeriesLayout } from '../measure/series.js';
import type { Snapshot } from '../measure/snapshot.js';
import { RateLimiter } from './limiters.js';
import { type ClientRef, type LoadAdjustment, Population } from './population.js';
import { type ChannelFactory, ProfileRuntime } from './profile-runtime.js';
import { PublicationClock, type RunClock } from './publication-clock.js';
import { Scheduler } from './scheduler.js';
import { SnapshotTaker } from './snapshot-taker.js';

/** A snapshot is taken at each whole second of run time, and at each end of a stage. */
const TICK_MS = 1_000;
/**
 * When a publisher has its answer, its publication may still be on its way to the subscribers. So the drain ends only
 * when no update has come for this long.
 */
const QUIET_MS = 2_000;
/** Sessions get at least this long to close, however short the drain was. */
const MIN_CLOSING_MS = 2_000;

/**
 * No limit, and still a small integer: Infinity would change the layout of the scheduler, on which V8 throws away the
 * compiled code of everything that touches it (measured at 200,000/s: 100 ms of send lag at each end of a stage).
 */
const UNLIMITED_BUDGET = 0x3fffffff;

/** drain: sends nothing new and waits for the answers · now: cuts everything. */
export type StopMode = 'drain' | 'now';

/** running: waits for the start, then sends · draining: waits for the last answers · closing: ends the sessions */
type Phase = 'running' | 'draining' | 'closing' | 'finished';

interface EngineParts {
  readonly scheduler: Scheduler;
  readonly population: Population;
  readonly stages: readonly LoadStage[];
  readonly drainMs: number;
  readonly joinMs: number;
  readonly bytesLimit: number;
  readonly snapshots: SnapshotTaker;
  readonly onSnapshot: (snapshot: Snapshot) => void;
  readonly onFinished: (last: Snapshot) => void;
  readonly onLimit: (problem: string) => void;
}

/**
 * Drives the virtual clients of one thread through a run. The pacer calls `pump`, which serves every `VirtualClient`
 * with an operation due. The client sends it through a `SessionSlot`, and the slot's channel writes it when the
 * `Scheduler` ends the turn. The channel reports the answer to the slot, the slot to the client, and the client counts
 * it in the `Recorder`. Made by `createEngine`.
 */
export class Engine {
  private phase: Phase = 'running';
  private readonly scheduler: Scheduler;
  private readonly population: Population;
  private stage: number;
  private tickMs: number;
  private deadlineMs = Infinity;
  private drainFromMs = 0;

  constructor(private readonly parts: EngineParts) {
    this.scheduler = parts.scheduler;
    this.population = parts.population;
    this.stage = parts.stages.findIndex((stage) => stageEndMs(stage) > parts.joinMs);
    this.tickMs = (Math.floor(parts.joinMs / TICK_MS) + 1) * TICK_MS;
    if (this.stage < 0) {
      this.stage = parts.stages.length - 1;
      this.beginDraining(parts.joinMs);
    } else this.enterStage();
  }

  /** Sends everything that is due by now, and does what the time asks for: timeouts, ends of stages, snapshots. */
  readonly pump = (): void => {
    if (this.phase === 'finished') return;
    const scheduler = this.scheduler;
    scheduler.beginPump();
    // Before the run starts there is nothing to do but to open the first sessions, unless it was stopped.
    if (scheduler.nowMs >= 0 || this.phase !== 'running') {
      this.passBoundaries();
      this.expireTimeouts();
      this.wake();
      scheduler.serveAndFlush();
      this.checkBytesLimit();
      this.advancePhase();
    } else this.wakeSessionSlots();
    scheduler.endTurn();
  };

  /** Opens the sessions of the clients that become active in the first stage. The run has not started yet. */
  openFirst(): void {
    this.scheduler.beginTurn();
    const untilMs = this.stageEnd();
    for (const client of this.population.clients) client.openFirst(untilMs);
    this.scheduler.endTurn();
  }

  /** Each of these sessions is open, or was refused at least once. */
  get hasOpened(): boolean {
    return !this.population.sessionSlots.some((sessionSlot) => sessionSlot.isPending);
  }

  /**
   * The run starts then, and not at the time that it was created for; ignored once it has started.
   * @param startMs on the clock of the thread
   * @param startHrMs the same on the clock of `process.hrtime`
   */
  begin(startMs: number, startHrMs: number): void {
    const { scheduler } = this;
    scheduler.beginTurn();
    const started = scheduler.nowMs >= 0;
    scheduler.endTurn();
    if (started || this.phase !== 'running') return;
    const earlierMs = scheduler.startMs - startMs;
    scheduler.startMs = startMs;
    scheduler.publicationClock.moveStart(startHrMs);
    scheduler.beginTurn();
    for (const sessionSlot of this.population.sessionSlots) sessionSlot.moveStart(earlierMs);
    scheduler.endTurn();
  }

  /** When something is to be done next, on the clock of the thread; not counting ends of stages and snapshots. */
  get nextMs(): number {
    const { clientWakes, sessionSlotWakes, startMs } = this.scheduler;
    return Math.min(clientWakes.earliest, sessionSlotWakes.earliest) + startMs;
  }

  /** More clients join. @param joinMs what was due before this run time is not theirs */
  add(clients: readonly ClientRef[], joinMs: number): void {
    this.population.add(clients, joinMs);
  }

  /** Changes the load of a stage. */
  adjust(order: LoadAdjustment): void {
    this.scheduler.beginTurn();
    this.population.adjust(order, this.scheduler.nowMs);
    this.scheduler.endTurn();
  }

  /** Ends the load early. What is due and not sent is counted as unsent. */
  stop(mode: StopMode): void {
    if (this.phase === 'finished') return;
    this.scheduler.beginPump();
    if (this.phase === 'running') {
      this.giveUp(Math.max(0, this.scheduler.nowMs), true);
      this.beginDraining(this.scheduler.nowMs);
    }
    if (mode === 'now') this.cut();
    this.scheduler.endTurn();
  }

  // ---- time passes ----

  /** Takes the snapshots and closes the stages whose time has come. */
  private passBoundaries(): void {
    const scheduler = this.scheduler;
    for (;;) {
      const endMs = this.phase === 'running' ? this.stageEnd() : Infinity;
      const boundaryMs = Math.min(this.tickMs, endMs);
      if (boundaryMs > scheduler.nowMs) return;
      if (boundaryMs === endMs) this.closeStage(endMs);
      else this.takeSnapshot(boundaryMs);
      if (boundaryMs === this.tickMs) this.tickMs += TICK_MS;
    }
  }

  /** Sends what was due in the stage, however late its end is noticed, and gives up what then still waits. */
  private closeStage(endMs: number): void {
    const scheduler = this.scheduler;
    scheduler.budget = UNLIMITED_BUDGET;
    this.wake();
    scheduler.serveAndFlush();
    this.giveUp(endMs, false);
    this.takeSnapshot(endMs);
    if (this.stage === this.parts.stages.length - 1) {
      this.beginDraining(endMs);
      return;
    }
    this.stage++;
    this.enterStage();
    for (const client of this.population.clients) {
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
    for (const subscriber of this.population.subscribers) subscriber.enterStage();
  }

  private stageEnd(): number {
    const stage = this.parts.stages[this.stage];
    return stage === undefined ? 0 : stageEndMs(stage);
  }

  /** Wakes the session slots and serves the clients whose wake time has come. */
  private wake(): void {
    const scheduler = this.scheduler;
    const { clients } = this.population;
    this.wakeSessionSlots();
    while (scheduler.clientWakes.earliest <= scheduler.dueLimitMs && scheduler.startable > 0) {
      clients[scheduler.clientWakes.pop()]?.serve();
      scheduler.flushIfMany();
    }
  }

  private wakeSessionSlots(): void {
    const { sessionSlotWakes, nowMs } = this.scheduler;
    while (sessionSlotWakes.earliest <= nowMs) this.population.sessionSlots[sessionSlotWakes.pop()]?.wake();
  }

  private expireTimeouts(): void {
    const scheduler = this.scheduler;
    const tickets = scheduler.tickets;
    for (const profile of this.population.profiles) {
      const timeoutMs = profile.plan.timeoutMs;
      for (let row = tickets.oldest(profile.index); row >= 0; row = tickets.oldest(profile.index)) {
        if ((tickets.sent[row] as number) + timeoutMs > scheduler.nowMs) break;
        this.endWait(row, {
          category: 'timeout',
          detail: `no answer within ${timeoutMs} ms of sending${this.serverWordsAt(row)}`,
        });
      }
    }
  }

  private checkBytesLimit(): void {
    if (this.phase !== 'running') return;
    let bytes = 0;
    for (const { counters } of this.population.profiles) bytes += counters.bytesSent + counters.bytesReceived;
    if (bytes < this.parts.bytesLimit) return;
    this.giveUp(this.scheduler.nowMs, true);
    this.beginDraining(this.scheduler.nowMs);
    this.parts.onLimit(`limits.bytes: this thread's share of ${this.parts.bytesLimit} bytes is used up`);
  }

  private takeSnapshot(toMs: number): void {
    this.parts.onSnapshot(this.parts.snapshots.take(toMs, this.stage));
  }

  // ---- the end ----

  /** Operations that were due before `beforeMs` and are not sent never will be. */
  private giveUp(beforeMs: number, stopped: boolean): void {
    for (const client of this.population.clients) client.giveUp(beforeMs, stopped);
  }

  private beginDraining(fromMs: number): void {
    const scheduler = this.scheduler;
    this.phase = 'draining';
    this.drainFromMs = fromMs;
    this.deadlineMs = fromMs + this.parts.drainMs;
    scheduler.running = false;
    scheduler.activeClients.fill(0);
    scheduler.stage = this.stage;
    for (const client of this.population.clients) client.serve();
  }

  private advancePhase(): void {
    const scheduler = this.scheduler;
    if (this.phase === 'draining' && (this.isDrained() || scheduler.nowMs >= this.deadlineMs)) this.beginClosing();
    if (this.phase !== 'closing') return;
    const open = this.population.sessionSlots.some(
      (sessionSlot) => sessionSlot.state === 'opening' || sessionSlot.hasSession,
    );
    if (!open || scheduler.nowMs >= this.deadlineMs) this.finish();
  }

  /** Every answer has come, and so have the updates that were still on their way. */
  private isDrained(): boolean {
    const scheduler = this.scheduler;
    if (scheduler.inFlight !== 0) return false;
    if (this.population.subscribers.length === 0) return true;
    return scheduler.nowMs - Math.max(scheduler.lastUpdateMs, this.drainFromMs) >= QUIET_MS;
  }

  private beginClosing(): void {
    const scheduler = this.scheduler;
    this.phase = 'closing';
    this.endAllWaits(undefined);
    this.deadlineMs = Math.max(this.deadlineMs, scheduler.nowMs + MIN_CLOSING_MS);
    for (const sessionSlot of this.population.sessionSlots) sessionSlot.finish();
  }

  private cut(): void {
    this.endAllWaits({ category: 'aborted_by_us', detail: 'the run was stopped at once' });
    this.finish();
  }

  private endAllWaits(failure: Failure | undefined): void {
    const { tickets } = this.scheduler;
    for (let row = 0; row < tickets.rows; row++) if ((tickets.series[row] as number) >= 0) this.endWait(row, failure);
  }

  /** @param failure undefined: lost, there was no answer when the drain ended */
  private endWait(row: number, failure: Failure | undefined): void {
    const { tickets } = this.scheduler;
    const client = this.population.clients[tickets.client[row] as number];
    const sessionSlot = this.population.sessionSlots[tickets.sessionSlot[row] as number];
    if (failure === undefined) client?.lost(row);
    else client?.answered(row, failure, sessionSlot?.endpointReplica ?? 0);
    sessionSlot?.abandon(row);
  }

  private serverWordsAt(row: number): string {
    return this.population.sessionSlots[this.scheduler.tickets.sessionSlot[row] as number]?.serverWords ?? '';
  }

  private finish(): void {
    for (const sessionSlot of this.population.sessionSlots) sessionSlot.destroy();
    this.phase = 'finished';
    const toMs = Math.max(Math.ceil(this.scheduler.nowMs), this.tickMs - TICK_MS);
    this.parts.onFinished(this.parts.snapshots.take(toMs, this.stage));
  }
}

interface EngineOptions {
  readonly plan: WorkerPlan;
  readonly clients: readonly ClientRef[];
  /** The endpoints of a profile, each with the name of its replica if there is exactly one behind it. */
  readonly endpoints: (profile: number) => readonly { readonly replica?: string }[];
  /** Shared with the channels, which number the replicas that answer. */
  readonly replicas: ReplicaNames;
  /** Nothing happens before this run time. */
  readonly joinMs: number;
  /** This thread's share of the plan's limits. */
  readonly limits: { readonly ratePerSecond: number; readonly bytes: number };
  readonly clock: () => number;
  readonly runClock: RunClock;
  /** The reading of `clock` at the start of the run. */
  readonly startMs: number;
  readonly loop: LoopMonitor;
  /** Of this thread. */
  readonly own: OwnShare;
  readonly templates: (profile: ProfilePlan, index: number) => readonly RequestTemplate[];
  readonly createChannel: ChannelFactory;
  readonly onSnapshot: (snapshot: Snapshot) => void;
  readonly onFinished: (last: Snapshot) => void;
  /** A limit is used up, and the engine has stopped its load. */
  readonly onLimit: (problem: string) => void;
}

function outcomeBins({ binned = [] }: WorkerPlan): OutcomeBins | undefined {
  const [first, ...rest] = binned;
  return first === undefined ? undefined : new OutcomeBins([first, ...rest]);
}

/** Puts the engine of one thread together. It knows neither threads nor sockets. */
export function createEngine(options: EngineOptions): Engine {
  const { plan } = options;
  const layout = new SeriesLayout(plan);
  const scheduler = new Scheduler({
    seed: plan.seed,
    recorder: new Recorder(layout, options.replicas),
    layout,
    profileCount: plan.profiles.length,
    paced: plan.profiles.map(({ arrivals }) => arrivals.model === 'open'),
    rateLimiter: new RateLimiter(options.limits.ratePerSecond, 0),
    createChannel: options.createChannel,
    endpointReplicaOf: ({ index }, endpoint) =>
      options.replicas.numberOf(options.endpoints(index)[endpoint]?.replica ?? ''),
    publicationClock: new PublicationClock(options.runClock),
    outcomes: outcomeBins(plan),
    stageNames: plan.stages.map(({ name }) => name),
    clock: options.clock,
    startMs: options.startMs,
    own: options.own,
  });
  const profiles = plan.profiles.map(
    (profile, index) => new ProfileRuntime(index, profile, options.templates(profile, index), options.own.known),
  );
  const population = new Population(scheduler, profiles, (profile) => options.endpoints(profile).length, plan.stages);
  population.add(options.clients, options.joinMs);
  return new Engine({
    scheduler,
    population,
    stages: plan.stages,
    drainMs: plan.drainMs,
    joinMs: options.joinMs,
    bytesLimit: options.limits.bytes,
    snapshots: new SnapshotTaker(scheduler, population, options.loop),
    onSnapshot: options.onSnapshot,
    onFinished: options.onFinished,
    onLimit: options.onLimit,
  });
}
