import type { PreflightResult } from '../../../client-sim/protocol/messages.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { createAggregate } from '../../analysis/aggregate.js';
import type { Aggregate } from '../../analysis/contract.js';
import { isFaultEvent } from '../../analysis/fault-book.js';
import { messageOf } from '../errors.js';
import type { RunEvent, RunEventBody, StopReason } from '../events.js';
import type { EventLog } from '../log/event-log.js';
import type { Timings } from '../timings.js';
import type { WorkerRegistry } from '../workers/registry.js';
import { Crew } from './crew.js';
import { isCoded } from './deploy.js';
import { Intake } from './intake.js';
import { type RunStart, stopOrder } from './orders.js';
import type { Failure } from './run.js';

/** What all runs of a controller use. */
export interface Shared {
  readonly registry: WorkerRegistry;
  readonly timings: Timings;
  readonly now: () => number;
  /** Sums since the controller started, for its metrics. */
  readonly totals: { telemetryBatches: number; telemetryBytes: number };
}

/** What the parts of one run share while it is on: its log, its crew, its data, and the two ways to end it early. */
export class RunCore {
  readonly crew = new Crew();
  readonly aggregate: Aggregate;
  readonly intake: Intake;
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
    readonly shared: Shared,
  ) {
    this.aggregate = createAggregate(plan);
    this.intake = new Intake(plan, this.aggregate);
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
      this.took(event);
      return event as Extract<RunEvent, { readonly type: Type }>;
    } catch (error) {
      this.failure ??= failureOf(error);
      this.stopping.abort();
      this.over.abort();
      return undefined;
    }
  }

  /** An event of this controller, or of one before it, goes into the data that thresholds are judged by. */
  took(event: RunEvent): void {
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
      this.crew.tell(stopOrder(this.id, mode));
      const patienceMs = mode === 'now' ? timings.stopNowMs : this.plan.drainMs + timings.lastBatchesMs;
      this.deadline = Math.min(this.deadline, now() + patienceMs);
    }
    this.stopping.abort();
    this.settle();
  }

  /** Ends the load phase when no worker is at work any more, or the last ones have had their time. */
  settle(): void {
    if (this.start === undefined) return;
    if (this.crew.atWork().length === 0 || this.shared.now() > this.deadline) this.over.abort();
  }
}

function failureOf(error: unknown): Failure {
  if (!isCoded(error)) return { code: 'INTERNAL', message: messageOf(error) };
  return { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}
