/**
 * The events of a run, in order: one on each line of `events.jsonl`, appended before they take effect. The state of a
 * run, its live view and its report are folds over these and over the telemetry lines (ARCHITECTURE.md, "The log is the
 * run").
 */

import type { Clock, Exchange, PinnedProtocol, Registration } from '../../client-sim/protocol/messages.js';
import type { SettledOperation } from '../../client-sim/protocol/settled-operation.js';
import type { Telemetry } from '../../client-sim/protocol/telemetry.js';
import type { SlotSet } from '../../scenarios/schema/allocate.js';
import type { FaultPlan, Plan } from '../../scenarios/schema/plan.js';
import type { Notice, Place, Registered, Replica, StartedProgram, UsageSample } from '../platform/platform.js';

/** `at` is ISO 8601, by the controller's clock. */
export type RunEvent = { readonly seq: number; readonly at: string } & RunEventBody;

export type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { readonly type: Type }>;

export type RunEventBody =
  /** The plan (header values) and the command line are redacted. */
  | {
      readonly type: 'run.created';
      readonly runId: string;
      readonly plan: Plan;
      readonly command: string;
      readonly version: string;
      readonly labels?: Readonly<Record<string, string>>;
    }
  | { readonly type: 'controller.listening'; readonly url: string; readonly pid: number }
  | { readonly type: 'program.started'; readonly program: StartedProgram }
  | { readonly type: 'environment'; readonly environment: Readonly<Record<string, unknown>> }
  | {
      readonly type: 'target.ready';
      readonly endpoints: readonly string[];
      readonly replicas: readonly Replica[];
      /** The endpoints of each arm. */
      readonly arms?: Readonly<Record<string, readonly string[]>>;
    }
  /** The gateway under test was told of the servers behind it, and lists their tools. */
  | { readonly type: 'upstreams.listed'; readonly registered: Registered }
  | {
      readonly type: 'worker.registered';
      readonly workerId: string;
      readonly worker: Registration;
      readonly place?: Place;
    }
  | { readonly type: 'worker.clock'; readonly workerId: string; readonly clock: Clock }
  | { readonly type: 'worker.saturated'; readonly workerId: string; readonly reason: string }
  | { readonly type: 'worker.recovered'; readonly workerId: string }
  /** `lastHeardMs`: run time of its last message, 0 before the load; `silentMs`: how long ago that was. */
  | {
      readonly type: 'worker.lost';
      readonly workerId: string;
      readonly lastHeardMs: number;
      readonly silentMs: number;
      readonly policy: Plan['onWorkerLoss'];
    }
  | { readonly type: 'preflight.started' }
  | {
      readonly type: 'preflight.passed';
      readonly pinned: PinnedProtocol;
      readonly serverInfo: { readonly name: string; readonly version: string } | undefined;
      readonly exchanges: readonly Exchange[];
      readonly settledOperations?: readonly SettledOperation[];
      readonly warnings?: readonly string[];
      /** Only when profiles take different routes; `pinned` is then that of the first. */
      readonly routes?: readonly PinnedRoute[];
    }
  | { readonly type: 'preflight.failed'; readonly problem: string; readonly exchanges: readonly Exchange[] }
  | {
      readonly type: 'run.started';
      readonly startAt: number;
      readonly assignments: readonly {
        readonly assignmentId: string;
        readonly workerId: string;
        readonly slots: readonly SlotSet[];
      }[];
    }
  /** What a server behind a target says that it has answered, by operation, since it started. Run times. */
  | {
      readonly type: 'truth.read';
      readonly source: string;
      readonly askedMs: number;
      readonly atMs: number;
      readonly counts: Readonly<Record<string, number>>;
    }
  | { readonly type: 'truth.failed'; readonly source: string; readonly problem: string }
  | { readonly type: 'stage.started'; readonly stage: number; readonly name: string }
  | {
      readonly type: 'slots.moved';
      readonly assignmentId: string;
      readonly from: string;
      readonly to: string;
      readonly slots: readonly SlotSet[];
      readonly joinMs: number;
    }
  | {
      readonly type: 'load.adjusted';
      readonly adjustId: string;
      readonly stage: number;
      readonly atMs: number;
      readonly load: number;
      readonly profile?: string;
    }
  | { readonly type: 'threshold.broken'; readonly check: string; readonly actual: number; readonly abort: boolean }
  /** Logged before the fault acts: the journal. `before`: the state that its undo restores. */
  | {
      readonly type: 'fault.started';
      readonly faultId: string;
      readonly kind: FaultPlan['kind'];
      readonly name?: string;
      readonly target: string;
      /** Ids of the replicas that it strikes. */
      readonly replicas?: readonly string[];
      readonly before: Readonly<Record<string, unknown>>;
    }
  /** What became of the order. `refused`: nothing was changed; `unknown`: that is not known, so it is undone. */
  | {
      readonly type: 'fault.ordered';
      readonly faultId: string;
      readonly outcome: 'applied' | 'refused' | 'unknown';
      readonly problem?: string;
    }
  /** The fault, or its undo, was seen to be in effect: its witness, with what showed it. */
  | {
      readonly type: 'fault.settled';
      readonly faultId: string;
      readonly phase: FaultPhase;
      readonly evidence?: string;
    }
  /** It struck what came in the place of something that it had struck. */
  | { readonly type: 'fault.followed'; readonly faultId: string; readonly struck: readonly string[] }
  /** Its time was over, and nothing had shown that it was in effect. */
  | { readonly type: 'fault.unwitnessed'; readonly faultId: string; readonly why: string }
  /** Logged before the undo. `run-over`: the run ended before the time of the fault did. */
  | { readonly type: 'fault.ended'; readonly faultId: string; readonly reason: 'time' | 'run-over' | 'halted' }
  /** The platform has accepted the undo; `forced`: by its second way. */
  | { readonly type: 'fault.undone'; readonly faultId: string; readonly forced?: true }
  /** The undo was verified, and this is not as before. */
  | { readonly type: 'fault.left'; readonly faultId: string; readonly what: string; readonly mend: string }
  /** Somebody ended all faults; no more begin. */
  | { readonly type: 'faults.halted'; readonly by: string }
  | { readonly type: 'fault.failed'; readonly faultId: string; readonly phase: FaultPhase; readonly problem: string }
  /** All replicas from now on. */
  | { readonly type: 'replicas.changed'; readonly replicas: readonly Replica[] }
  | {
      readonly type: 'stop.requested';
      readonly reason: StopReason;
      readonly mode: 'drain' | 'now';
      readonly detail: string;
    }
  | { readonly type: 'run.draining' }
  | {
      readonly type: 'worker.finished';
      readonly workerId: string;
      readonly reason: 'finished' | 'stopped' | 'lease-lost' | 'failed';
      readonly lastSequence: number;
      readonly problem?: string;
    }
  | { readonly type: 'usage'; readonly atMs: number; readonly samples: readonly UsageSample[] }
  | ({ readonly type: 'noticed' } & Notice)
  | { readonly type: 'run.adopted'; readonly pid: number }
  | { readonly type: 'run.analysing' }
  /** An error before or outside the load, which makes the run incomplete. `code` is a stable error code. */
  | { readonly type: 'run.failed'; readonly code: string; readonly message: string; readonly hint?: string }
  | { readonly type: 'run.finished'; readonly verdict: Verdict };

export type FaultPhase = 'injected' | 'undone';

/** `interrupt`: the user's Ctrl-C; `shutdown`: the controller itself was told to end. */
export type StopReason = 'user' | 'interrupt' | 'shutdown' | 'threshold' | 'stop-rule' | 'worker-loss' | 'error';

/** The protocol of one route, with the names of the profiles that take it. */
export interface PinnedRoute {
  readonly profiles: readonly string[];
  readonly pinned: PinnedProtocol;
}

/** One line of `telemetry.jsonl`. */
export interface TelemetryLine {
  readonly workerId: string;
  readonly receivedAt: string;
  readonly batch: Telemetry;
}

export type Verdict =
  | { readonly kind: 'passed'; readonly reasons: readonly string[] }
  | { readonly kind: 'failed'; readonly reasons: readonly string[] }
  | { readonly kind: 'invalid'; readonly reasons: readonly string[] }
  | { readonly kind: 'incomplete'; readonly reasons: readonly string[] };
