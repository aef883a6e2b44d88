import type { Plan } from '../../../scenarios/schema/plan.js';
import type { LiveView } from '../../analysis/contract.js';
import { liveView } from '../../analysis/live-view.js';
import { ControllerError } from '../errors.js';
import type { RunEvent, StopReason } from '../events.js';
import type { RunState } from '../state.js';
import type { RunSummary } from '../summary.js';
import { adjustProblem } from './adjust.js';
import type { RunCore } from './core.js';
import type { MessageCounts } from './intake.js';
import { adjustOrder } from './orders.js';
import type { AdjustRequest, FinishedRun, LoadAdjusted, Run } from './run.js';

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
    core.crew.tell(adjustOrder(this.id, event));
    return event;
  }

  /** To be called once, by whoever conducts it. */
  end(finished: FinishedRun): void {
    this.finish(finished);
  }
}
