import { setTimeout as sleep } from 'node:timers/promises';
import type { PreflightResult } from '../../../client-sim/protocol/messages.js';
import type { MessageCounts } from '../../../client-sim/protocol/telemetry.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { plannedEndMs } from '../../analysis/facts/stages.js';
import { type LiveView, liveView } from '../../analysis/live-view.js';
import { RunAggregate } from '../../analysis/merge/aggregate.js';
import { ControllerError, type Failure, failureOf } from '../../log/errors.js';
import type { EventHistory, EventLog } from '../../log/event-log.js';
import type { RunEvent, RunEventBody, StopReason } from '../../log/events.js';
import type { RunTokens } from '../../log/run-folder.js';
import type { RunState } from '../../log/state.js';
import type { RunSummary } from '../../log/summary.js';
import type { Timings } from '../timings.js';
import type { WorkerRegistry } from '../workers/worker-registry.js';
import { adjustOrder, type RunStart, stopOrder } from './orders.js';
import type { AdjustRequest, FinishedRun, LoadAdjusted, Run } from './run.js';
import { RunWorkers } from './run-workers.js';
import { TelemetryIntake } from './telemetry-intake.js';

/** What all runs of a controller share. */
export interface ControllerContext {
  readonly registry: WorkerRegistry;
  readonly timings: Timings;
  readonly now: () => number;
  /** Sums since the controller started, for its metrics. */
  readonly totals: { telemetryBatches: number; telemetryBytes: number };
}

/** Timers take 31 bits of milliseconds; a stage may be longer. */
const LONGEST_SLEEP_MS = 3_600_000;

/**
 * A run of this controller while it waits or is on. Clients of the controller see it as a `Run`; the phases of the run
 * use the rest: its log, its workers, its data, and the two signals that end it early.
 */
export class ActiveRun implements Run {
  readonly finished: Promise<FinishedRun>;
  readonly workers = new RunWorkers();
  readonly aggregate: RunAggregate;
  readonly intake: TelemetryIntake;
  /** Ids of the workers whose sessions have been opened before the load. */
  readonly opened = new Set<string>();
  private resolveFinished: (finished: FinishedRun) => void = () => undefined;
  private readonly stopController = new AbortController();
  private readonly overController = new AbortController();
  private readonly haltController = new AbortController();
  private _start: RunStart | undefined;
  private _failure: Failure | undefined;
  private _stopped: StopReason | undefined;
  private stopMode: 'drain' | 'now' | undefined;
  /** When the last batches are no longer waited for. */
  private deadline = Infinity;
  private adjustments = 0;
  private onPreflight: ((result: PreflightResult) => void) | undefined;

  constructor(
    readonly id: string,
    readonly folder: string,
    readonly plan: Plan,
    readonly log: EventLog,
    readonly tokens: RunTokens,
    readonly context: ControllerContext,
  ) {
    this.aggregate = new RunAggregate(plan);
    this.intake = new TelemetryIntake(plan, this.aggregate);
    this.finished = new Promise((resolve) => (this.resolveFinished = resolve));
  }

  get state(): RunState {
    return this.log.state;
  }

  get summary(): RunSummary {
    return this.log.summary;
  }

  get counts(): MessageCounts {
    return this.intake.counts;
  }

  /** Undefined until the load has been assigned. */
  get start(): RunStart | undefined {
    return this._start;
  }

  /** The first failure. */
  get failure(): Failure | undefined {
    return this._failure;
  }

  /** The reason of the first stop. */
  get stopped(): StopReason | undefined {
    return this._stopped;
  }

  /** Aborted by the first stop, which ends every phase before the load. */
  get stopping(): AbortSignal {
    return this.stopController.signal;
  }

  /** Aborted when there is nothing left to wait for. */
  get over(): AbortSignal {
    return this.overController.signal;
  }

  /** Aborted when somebody ends the faults of the run. */
  get halted(): AbortSignal {
    return this.haltController.signal;
  }

  /** Run time; negative until the load starts. */
  get tMs(): number {
    return this._start === undefined ? -Infinity : this.context.now() - this._start.startAt;
  }

  /** Run time at which the last stage ends. */
  get endMs(): number {
    return plannedEndMs(this.plan);
  }

  events(after = 0, signal?: AbortSignal): AsyncIterable<RunEvent> {
    return this.log.follow(after, signal);
  }

  subscribe(listener: (event: RunEvent) => void): () => void {
    return this.log.subscribe(listener);
  }

  live(): LiveView | undefined {
    if (this._start === undefined || this.state.kind === 'finished') return undefined;
    return liveView(this.aggregate, this.plan, Math.max(0, this.tMs));
  }

  stop(reason: StopReason, mode: 'drain' | 'now', detail = ''): void {
    const { kind } = this.state;
    if (kind === 'analysing' || kind === 'finished' || this.over.aborted) return;
    if (this.stopMode === 'now' || this.stopMode === mode) return;
    this.record({ type: 'stop.requested', reason, mode, detail });
    this.resumeStop(reason, mode);
  }

  haltFaults(by: string): void {
    if (this.halted.aborted || this.state.kind === 'finished') return;
    this.record({ type: 'faults.halted', by });
    this.haltController.abort();
  }

  adjust(request: AdjustRequest): LoadAdjusted {
    const refuse = (why: string): never => {
      throw new ControllerError('ADJUST_REFUSED', `run ${this.id}: ${why}`);
    };
    if (this.state.kind !== 'running') return refuse(`it is ${this.state.kind}, not running`);
    const atMs = Math.max(0, Math.ceil(this.tMs + this.context.timings.noticeMs));
    const stage = this.plan.stages.findLast((candidate) => candidate.startMs <= atMs);
    if (stage === undefined || atMs >= stage.startMs + stage.durationMs)
      return refuse('its last stage is about to end');
    const problem = adjustProblem(this.plan, stage.index, request);
    if (problem !== undefined) return refuse(problem);
    this.adjustments += 1;
    const event = this.record({
      type: 'load.adjusted',
      adjustId: `j${this.adjustments}`,
      stage: stage.index,
      atMs,
      ...request,
    });
    if (event === undefined)
      throw new ControllerError(
        'LOG_WRITE_FAILED',
        `run ${this.id}: the change could not be logged, so it was not made`,
      );
    this.workers.sendToAll(adjustOrder(this.id, event));
    return event;
  }

  /** The workers have their assignments; the load begins at `start.startAt`. */
  beginLoad(start: RunStart): void {
    this._start = start;
    this.deadline = start.startAt + this.endMs + this.plan.drainMs + this.context.timings.lastBatchesMs;
  }

  /** Continues a load that the previous controller began. Its workers have the length of their lease to return. */
  resumeLoad(start: RunStart, history: EventHistory): void {
    const { now, timings } = this.context;
    const drainedAt = start.startAt + this.endMs + this.plan.drainMs;
    this._start = start;
    this.deadline = Math.max(drainedAt, now() + timings.leaseMs) + timings.lastBatchesMs;
    this.adjustments = history.all('load.adjusted').length;
  }

  /** Puts a stop into effect without logging it: called alone for a stop that the previous controller has logged. */
  resumeStop(reason: StopReason, mode: 'drain' | 'now'): void {
    const { now, timings } = this.context;
    this.stopMode = mode;
    this._stopped ??= reason;
    if (this._start !== undefined) {
      this.workers.sendToAll(stopOrder(this.id, mode));
      const patienceMs = mode === 'now' ? timings.stopNowMs : this.plan.drainMs + timings.lastBatchesMs;
      this.deadline = Math.min(this.deadline, now() + patienceMs);
    }
    this.stopController.abort();
    this.endIfDone();
  }

  /** Ends the load phase when all workers have finished or the deadline for their last batches has passed. */
  endIfDone(): void {
    if (this._start === undefined) return;
    if (this.workers.working().length === 0 || this.context.now() > this.deadline) this.endLoad();
  }

  endLoad(): void {
    this.overController.abort();
  }

  /** Resolves `finished`. Called once, after the run has been concluded. */
  finish(finished: FinishedRun): void {
    this.resolveFinished(finished);
  }

  /** The next preflight result that a worker reports. */
  awaitPreflight(): Promise<PreflightResult> {
    return new Promise((resolve) => (this.onPreflight = resolve));
  }

  /** A result that is not waited for, such as a second one, is ignored. */
  preflightArrived(result: PreflightResult): void {
    this.onPreflight?.(result);
  }

  /**
   * Appends to the log. A log that cannot be written ends the run; the result is then undefined. Events after
   * `run.finished` are dropped: what happens to workers during teardown is not part of the run.
   */
  record<Type extends RunEventBody['type']>(
    body: Extract<RunEventBody, { readonly type: Type }>,
  ): Extract<RunEvent, { readonly type: Type }> | undefined {
    if (this.state.kind === 'finished') return undefined;
    try {
      const event = this.log.append(body) as RunEvent;
      this.aggregate.addEvent(event, this._start?.startAt);
      return event as Extract<RunEvent, { readonly type: Type }>;
    } catch (error) {
      this.noteFailure(failureOf(error));
      this.stopController.abort();
      this.endLoad();
      return undefined;
    }
  }

  /** Logs a failure. The first one becomes the failure of the run. */
  fail(error: unknown): void {
    const failure = failureOf(error);
    this.noteFailure(failure);
    this.record({ type: 'run.failed', ...failure });
  }

  /** As `fail`, for a failure that cannot be logged. */
  noteFailure(failure: Failure): void {
    this._failure ??= failure;
  }

  /** Resolves to true at run time `tMs`, or to false as soon as the signal is aborted. */
  async reaches(tMs: number, signal: AbortSignal): Promise<boolean> {
    const { now } = this.context;
    const at = (this._start?.startAt ?? 0) + tMs;
    for (let leftMs = at - now(); leftMs > 0 && !signal.aborted; leftMs = at - now()) {
      await sleep(Math.min(Math.ceil(leftMs), LONGEST_SLEEP_MS), undefined, { signal }).catch(() => undefined);
    }
    return !signal.aborted;
  }
}

/** Why the load cannot be changed as requested; undefined when it can. */
function adjustProblem(plan: Plan, stageIndex: number, request: AdjustRequest): string | undefined {
  const stage = plan.stages[stageIndex];
  if (stage === undefined) return 'no stage is running';
  if (!Number.isFinite(request.load) || request.load < 0)
    return `load must be a number of at least 0 (1 is 100 %), not ${request.load}`;
  const profiles = plan.profiles.filter((profile) => request.profile === undefined || profile.name === request.profile);
  if (profiles.length === 0)
    return `no profile ${request.profile}; the plan has ${plan.profiles.map((profile) => profile.name).join(', ')}`;
  if (request.load <= 1) return undefined;
  if (stage.scale === 'clients')
    return (
      `stage ${stage.name} scales the number of clients, and at 100 % all of them are active; ` +
      'to have more, run a plan with more clients'
    );
  const closed = profiles.find((profile) => profile.arrivals.model === 'closed');
  if (closed) return `profile ${closed.name} is a closed loop, which has no rate to raise`;
  const rate = plan.profiles.reduce(
    (sum, profile) => sum + rateOf(profile, profiles.includes(profile) ? request.load : 1),
    0,
  );
  return rate > plan.limits.ratePerSecond
    ? `${rate} operations a second exceed the limit of ${plan.limits.ratePerSecond}`
    : undefined;
}

function rateOf(profile: Plan['profiles'][number], load: number): number {
  return profile.arrivals.model === 'open' ? profile.clients * profile.arrivals.ratePerSecond * load : 0;
}
