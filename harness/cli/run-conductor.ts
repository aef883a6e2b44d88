/** Conducts runs, one after another: through the controller of this process, or through a harness elsewhere. */
import type { Plan } from '../../scenarios/schema/plan.js';
import type { FinishedRun } from '../controller/run/run.js';
import type { Report } from '../report/schema.js';
import type { Host } from './host.js';
import type { Style } from './terminal/style.js';

/** @template Request everything that a run is started with, beside its plan */
export interface RunConductor<Request> {
  run(plan: Plan, request: Request): Promise<ConductedRun>;
  /** Whether Ctrl-C was pressed, so that no further run is started. */
  readonly interrupted: () => boolean;
  close(): Promise<void>;
}

export interface ConductedRun {
  readonly finished: FinishedRun;
  /** Undefined when it could not be written or read; `finished.problems` says why. */
  readonly report: Report | undefined;
}

export interface ConductorOptions {
  readonly host: Host;
  readonly resultsFolder: string;
  /** No progress on stderr. */
  readonly quiet: boolean;
  /** For the progress on stderr. */
  readonly style: Style;
}
