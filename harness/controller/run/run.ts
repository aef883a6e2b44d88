import type { Plan } from '../../../scenarios/schema/plan.js';
import type { LiveView } from '../../analysis/live-view.js';
import type { RunEvent, StopReason, Verdict } from '../../log/events.js';
import type { RunState } from '../../log/state.js';
import type { RunSummary } from '../../log/summary.js';

/** A run of this controller: waiting, on, or over. What its log holds is what it is; this is a handle on it. */
export interface Run {
  readonly id: string;
  readonly folder: string;
  /** Header values may be in it; not for showing. */
  readonly plan: Plan;
  readonly state: RunState;
  readonly summary: RunSummary;
  /** Past events after `after`, then new ones as they come; ends after `run.finished`. */
  events(after?: number, signal?: AbortSignal): AsyncIterable<RunEvent>;
  /** Called for each event from now on, at once. Returns the undo. */
  subscribe(listener: (event: RunEvent) => void): () => void;
  /** Undefined before the load has begun and after the run is over. */
  live(): LiveView | undefined;
  /**
   * Ends the run early. `drain`: no new operations, answers are waited for; `now`: cut. Asking again only counts when
   * it is `now` after `drain`. Without effect once the load is over.
   */
  stop(reason: StopReason, mode: 'drain' | 'now', detail?: string): void;
  /** Changes the load of the running stage. @throws ControllerError ADJUST_REFUSED with the reason */
  adjust(request: AdjustRequest): LoadAdjusted;
  /** Never rejects: what went wrong is in it. */
  readonly finished: Promise<FinishedRun>;
}

export interface AdjustRequest {
  /** 1 is 100 % of the plan. */
  readonly load: number;
  /** All profiles when absent. */
  readonly profile?: string;
}

export type LoadAdjusted = Extract<RunEvent, { readonly type: 'load.adjusted' }>;

export interface FinishedRun {
  readonly runId: string;
  readonly folder: string;
  readonly verdict: Verdict;
  /** The first `run.failed`: what of ours, or what about the target, kept the run from its end. */
  readonly failure: Failure | undefined;
  /** Why it was stopped before its end. */
  readonly stopped: StopReason | undefined;
  /** What went wrong after the verdict (report, teardown), in words; it does not change the verdict. */
  readonly problems: readonly string[];
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export interface SubmitOptions {
  /** The command line or request behind it, without secrets. */
  readonly command: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** How many workers the platform starts; undefined: it decides. */
  readonly workers?: number;
  /** Use this many workers that registered by themselves; the platform brings up the target only. */
  readonly registeredWorkers?: number;
}
