import type { Plan } from '../../../scenarios/schema/plan.js';
import type { LiveView } from '../../analysis/live-view.js';
import type { Failure } from '../../log/errors.js';
import type { RunEvent, StopReason, Verdict } from '../../log/events.js';
import type { RunTokens } from '../../log/run-folder.js';
import type { RunState } from '../../log/state.js';
import type { RunSummary } from '../../log/summary.js';
import type { NamedWorkers } from '../workers/named-workers.js';

/** A handle on a run of this controller that waits, is on, or is over. Its state is what its log says. */
export interface Run {
  readonly id: string;
  readonly folder: string;
  /** May contain header values, so it must not be shown. */
  readonly plan: Plan;
  /** Secret. */
  readonly tokens: RunTokens;
  readonly state: RunState;
  readonly summary: RunSummary;
  /** Events after number `after`: first those in the log, then new ones as they come. Ends after `run.finished`. */
  events(after?: number, signal?: AbortSignal): AsyncIterable<RunEvent>;
  /** Calls the listener for each new event, synchronously. Returns the function that unsubscribes it. */
  subscribe(listener: (event: RunEvent) => void): () => void;
  /** Undefined before the load has begun and after the run is over. */
  live(): LiveView | undefined;
  /**
   * Ends the run early. `drain` starts no new operations and waits for answers; `now` cuts the load. A second call only
   * has an effect when it is `now` after `drain`. Without effect once the load is over.
   */
  stop(reason: StopReason, mode: 'drain' | 'now', detail?: string): void;
  /** Undoes all faults that are on, and begins no more; the load goes on. A second call has no effect. */
  haltFaults(by: string): void;
  /** Changes the load of the running stage. @throws ControllerError ADJUST_REFUSED with the reason */
  adjust(request: AdjustRequest): LoadAdjusted;
  /** Never rejects: failures are in the result. */
  readonly finished: Promise<FinishedRun>;
}

export interface AdjustRequest {
  /** 1 is 100 % of the plan. */
  readonly load: number;
  /** Default: all profiles. */
  readonly profile?: string;
}

export type LoadAdjusted = Extract<RunEvent, { readonly type: 'load.adjusted' }>;

export interface FinishedRun {
  readonly runId: string;
  readonly folder: string;
  readonly verdict: Verdict;
  /** The first `run.failed`: the error, ours or the target's, that kept the run from completing. */
  readonly failure: Failure | undefined;
  /** Why it was stopped early. */
  readonly stopped: StopReason | undefined;
  /** Problems after the verdict (report, teardown), as sentences; they do not change the verdict. */
  readonly problems: readonly string[];
}

export interface SubmitOptions {
  /** The command line or request behind it, without secrets. */
  readonly command: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** How many workers the platform starts. Default: the platform decides. */
  readonly workers?: number;
  /** Use this many workers that registered by themselves; the platform then starts the target only. */
  readonly registeredWorkers?: number;
  /** Use these workers, which wait to be dialled; the platform then starts the target only. */
  readonly named?: NamedWorkers;
  /** Clients that subscribe are put on workers of their own, two thirds of all workers. */
  readonly extraConsumers?: boolean;
}
