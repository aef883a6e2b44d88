import { setTimeout as sleep } from 'node:timers/promises';
import type { PreflightResult } from '../../../client-sim/protocol/messages.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { isFaultEvent } from '../../analysis/facts/fault-records.js';
import { type LiveView, liveView } from '../../analysis/live-view.js';
import { RunAggregate } from '../../analysis/merge/aggregate.js';
import { ControllerError, messageOf } from '../../log/errors.js';
import type { EventLog } from '../../log/event-log.js';
import type { RunEvent, RunEventBody, StopReason } from '../../log/events.js';
import type { RunState } from '../../log/state.js';
import type { RunSummary } from '../../log/summary.js';
import type { Timings } from '../timings.js';
import type { WorkerRegistry } from '../workers/worker-registry.js';
import { isCoded } from './deploy.js';
import { adjustOrder, type RunStart, stopOrder } from './orders.js';
import type { AdjustRequest, Failure, FinishedRun, LoadAdjusted, Run } from './run.js';
import { RunWorkers } from './run-workers.js';
import { type MessageCounts, TelemetryIntake } from './telemetry-intake.js';

/** The handle on a run of this controller. */
export class ActiveRun implements Run {
  readonly finished: Promise<FinishedRun>;
  private finish: (finished: FinishedRun) => void = () => undefined;
  private adjustments: number;

  constructor(
    readonly core: RunCore,
    adjustments = 0,
  ) {
    this.adjustments = adjustments;
    this.finished = new Promise((resolve) => (this.finish = resolve));
  }

  get id(): string {
    return this.core.id;
  }

  get folder(): string {
    return this.core.folder;
  }

  get plan(): Plan {
    return this.core.plan;
  }

  get state(): RunState {
    return this.core.log.state;
  }

  get summary(): RunSummary {
    return this.core.log.summary;
  }

  get counts(): MessageCounts {
    return this.core.intake.counts;
  }

  events(after = 0, signal?: AbortSignal): AsyncIterable<RunEvent> {
    return this.core.log.follow(after, signal);
  }

  subscribe(listener: (event: RunEvent) => void): () => void {
    return this.core.log.subscribe(listener);
  }

  live(): LiveView | undefined {
    if (this.core.start === undefined || this.state.kind === 'finished') return undefined;
    return liveView(this.core.aggregate, this.plan, Math.max(0, this.core.tMs));
  }

  stop(reason: StopReason, mode: 'drain' | 'now', detail = ''): void {
    this.core.stop(reason, mode, detail);
  }

  adjust(request: AdjustRequest): LoadAdjusted {
    const { core } = this;
    const refuse = (why: string): never => {
      throw new ControllerError('ADJUST_REFUSED', `run ${this.id}: ${why}`);
    };
    if (this.state.kind !== 'running') return refuse(`it is ${this.state.kind}, not running`);
    const atMs = Math.max(0, Math.ceil(core.tMs + core.shared.timings.noticeMs));
    const stage = this.plan.stages.findLast((candidate) => candidate.startMs <= atMs);
    if (stage === undefined || atMs >= stage.startMs + stage.durationMs)
      return refuse('its last stage is about to end');
    const problem = adjustProblem(this.plan, stage.index, request);
    if (problem !== undefined) return refuse(problem);
    this.adjustments += 1;
    const event = core.record({
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
    core.runWorkers.sendToAll(adjustOrder(this.id, event));
    return event;
  }

  /** To be called once, by whoever conducts it. */
  end(finished: FinishedRun): void {
    this.finish(finished);
  }
}

/** What all runs of a controller use. */
export interface ControllerContext {
  readonly registry: WorkerRegistry;
  readonly timings: Timings;
  readonly now: () => number;
  /** Sums since the controller started, for its metrics. */
  readonly totals: { telemetryBatches: number; telemetryBytes: number };
}

/** What the parts of one run share while it is on: its log, its crew, its data, and the two ways to end it early. */
export class RunCore {
  readonly runWorkers = new RunWorkers();
  readonly aggregate: RunAggregate;
  readonly intake: TelemetryIntake;
  /** Aborted by the first stop, which ends every phase before the load. */
  readonly stopping = new AbortController();
  /** Aborted when there is nothing more to wait for. */
  readonly over = new AbortController();
  start: RunStart | undefined;
  failure: Failure | undefined;
  stopped: StopReason | undefined;
  preflightAnswer: ((result: PreflightResult) => void) | undefined;
  /** When the last batches are no longer waited for. */
  deadline = Infinity;
  private mode: 'drain' | 'now' | undefined;

  constructor(
    readonly id: string,
    readonly folder: string,
    readonly plan: Plan,
    readonly log: EventLog,
    readonly shared: ControllerContext,
  ) {
    this.aggregate = new RunAggregate(plan);
    this.intake = new TelemetryIntake(plan, this.aggregate);
  }

  /** Run time; negative until the load starts. */
  get tMs(): number {
    return this.start === undefined ? -Infinity : this.shared.now() - this.start.startAt;
  }

  /** End of the last stage, run time. */
  get endMs(): number {
    return Math.max(0, ...this.plan.stages.map((stage) => stage.startMs + stage.durationMs));
  }

  /** Appends to the log. A log that cannot be written ends the run; undefined then. */
  record<Type extends RunEventBody['type']>(
    body: Extract<RunEventBody, { readonly type: Type }>,
  ): Extract<RunEvent, { readonly type: Type }> | undefined {
    // What happens to workers while they are torn down is no part of the run any more.
    if (this.log.state.kind === 'finished') return undefined;
    try {
      const event = this.log.append(body) as RunEvent;
      this.addToAggregate(event);
      return event as Extract<RunEvent, { readonly type: Type }>;
    } catch (error) {
      this.failure ??= failureOf(error);
      this.stopping.abort();
      this.over.abort();
      return undefined;
    }
  }

  /** An event of this controller, or of one before it, goes into the data that thresholds are judged by. */
  addToAggregate(event: RunEvent): void {
    if (this.start !== undefined && isFaultEvent(event))
      this.aggregate.addFault(event, Date.parse(event.at) - this.start.startAt);
  }

  fail(error: unknown): void {
    const failure = failureOf(error);
    this.failure ??= failure;
    this.record({ type: 'run.failed', ...failure });
  }

  stop(reason: StopReason, mode: 'drain' | 'now', detail: string): void {
    const { kind } = this.log.state;
    if (kind === 'analysing' || kind === 'finished' || this.over.signal.aborted) return;
    if (this.mode === 'now' || this.mode === mode) return;
    this.record({ type: 'stop.requested', reason, mode, detail });
    this.resumeStop(reason, mode);
  }

  /** The stop was asked of the controller before this one: what follows from it, without saying it again. */
  resumeStop(reason: StopReason, mode: 'drain' | 'now'): void {
    const { now, timings } = this.shared;
    this.mode = mode;
    this.stopped ??= reason;
    if (this.start !== undefined) {
      this.runWorkers.sendToAll(stopOrder(this.id, mode));
      const patienceMs = mode === 'now' ? timings.stopNowMs : this.plan.drainMs + timings.lastBatchesMs;
      this.deadline = Math.min(this.deadline, now() + patienceMs);
    }
    this.stopping.abort();
    this.endIfDone();
  }

  /** Ends the load phase when no worker is at work any more, or the last ones have had their time. */
  endIfDone(): void {
    if (this.start === undefined) return;
    if (this.runWorkers.working().length === 0 || this.shared.now() > this.deadline) this.over.abort();
  }
}

function failureOf(error: unknown): Failure {
  if (!isCoded(error)) return { code: 'INTERNAL', message: messageOf(error) };
  return { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}

/** Why a change of load cannot be made, in words; undefined when it can. */
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
    return `stage ${stage.name} scales clients, and all of them are active at 100 %; more clients need a plan with more`;
  const closed = profiles.find((profile) => profile.arrivals.model === 'closed');
  if (closed) return `profile ${closed.name} is a closed loop: it has no rate to raise`;
  const rate = plan.profiles.reduce(
    (sum, profile) => sum + rateOf(profile, profiles.includes(profile) ? request.load : 1),
    0,
  );
  return rate > plan.limits.ratePerSecond
    ? `${rate} operations a second are more than the limit of ${plan.limits.ratePerSecond}`
    : undefined;
}

function rateOf(profile: Plan['profiles'][number], load: number): number {
  return profile.arrivals.model === 'open' ? profile.clients * profile.arrivals.ratePerSecond * load : 0;
}

/** Timers take 31 bits of milliseconds; a stage may be longer. */
const LONGEST_SLEEP_MS = 3_600_000;

/** Resolves at `at` of the given clock, or false at once when aborted. */
export async function until(at: number, now: () => number, signal: AbortSignal): Promise<boolean> {
  for (let leftMs = at - now(); leftMs > 0 && !signal.aborted; leftMs = at - now()) {
    await sleep(Math.min(Math.ceil(leftMs), LONGEST_SLEEP_MS), undefined, { signal }).catch(() => undefined);
  }
  return !signal.aborted;
}
