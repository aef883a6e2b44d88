/**
 * Where programs run: the port that `local/` (child processes) and `swarm/` (dockerode) implement. Only `cli` knows
 * which of the two it is.
 */
import type { Endpoint } from '../../client-sim/protocol/messages.js';
import type { FaultPlan, Plan, Stickiness } from '../../scenarios/schema/plan.js';

export interface Platform {
  readonly name: 'local' | 'swarm';
  /** Parts of the plan that this platform cannot do, one sentence each. Pure. */
  refusals(plan: Plan): readonly string[];
  /** Starts target and workers. On failure, everything that was started already is gone again. */
  prepare(plan: Plan, context: PlatformContext, signal: AbortSignal): Promise<Environment>;
  /** What a controller that adopts a run sees of it. */
  adopt(plan: Plan, known: KnownRun): Watched;
  /**
   * How it injects faults; undefined when it cannot, and then `refusals` says so. Not part of an environment, since a
   * controller that adopts a run has none.
   */
  readonly faults?: FaultInjector;
}

/**
 * How a platform does faults. For each fault the controller calls `inspect`, logs the result (`fault.started`: the
 * journal), then `inject`; it waits for the witness, calls `maintain` while the fault lasts, then `undo`, and waits
 * until that is verified. Every order may come twice, also from another controller or from `swarmbench heal`, which
 * has nothing but the journal: what an order needs must be in the fault and its subject.
 */
export interface FaultInjector {
  /**
   * Finds out what the fault will act on, and what its undo needs. Changes nothing.
   * @throws coded errors when the fault cannot be injected
   */
  inspect(fault: FaultPlan, context: FaultContext, signal: AbortSignal): Promise<FaultSubject>;
  /**
   * @param progress share of the fault's time that is over, 0 to 1: the strength of a ramp follows from it
   * @throws FaultRefused when nothing was changed; after any other error that is unknown, and the fault is undone
   */
  inject(fault: FaultPlan, subject: FaultSubject, progress: number, signal: AbortSignal): Promise<void>;
  /**
   * Called every second while the fault lasts: sets the strength of a ramp, and strikes what came in the place of
   * something that was struck. Without it, both stay as `inject` left them.
   * @returns what it struck anew, in words; empty when nothing was
   */
  maintain?(fault: FaultPlan, subject: FaultSubject, progress: number, signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Restores what was before, as it was logged. Idempotent; what is gone counts as undone.
   * @returns the processes of this machine that it started, so that they are logged and ended with the run
   */
  undo(fault: FaultPlan, subject: FaultSubject, signal: AbortSignal): Promise<readonly StartedProgram[]>;
  /** The second way, when `undo` failed or was late: replaces what was struck, if it must. */
  undoByForce?(fault: FaultPlan, subject: FaultSubject, signal: AbortSignal): Promise<readonly StartedProgram[]>;
  /**
   * Waits until the order is in effect, as the data plane shows it. `injected`: the witness of the fault. `undone`:
   * everything is as before, and nothing of ours is left. An abort ends the wait without an error.
   */
  waitForEffect(
    fault: FaultPlan,
    subject: FaultSubject,
    phase: 'injected' | 'undone',
    signal: AbortSignal,
  ): Promise<FaultEffect>;
  /**
   * Undoes faults by what is found on the machine or swarm alone (labels, names), without a journal.
   * @param runId only those of this run; undefined: of all runs
   * @returns what was undone, in words
   */
  sweep?(runId: string | undefined, signal: AbortSignal): Promise<readonly string[]>;
}

/** Thrown by an order that has changed nothing. `swarmbench` says why. */
export class FaultRefused extends Error {
  override readonly name = 'FaultRefused';
}

/** What the controller knows of the run, for `inspect`. */
export interface FaultContext {
  readonly runId: string;
  readonly runFolder: string;
  readonly seed: number;
  /** Sessions of the load that each replica holds now, by its id; replicas without one may be missing. */
  readonly sessions: ReadonlyMap<string, number>;
}

export interface FaultSubject {
  /** For people, such as `mcp-server: 8 to 16 replicas`. */
  readonly description: string;
  /** Ids of the replicas that it strikes; empty when it strikes something else. */
  readonly replicas: readonly string[];
  /** Everything that `undo` needs. JSON, without secrets. */
  readonly before: Readonly<Record<string, unknown>>;
  /** Where the files of the run are. Not logged: whoever gives an order fills it in. */
  readonly runFolder?: string;
}

export interface FaultEffect {
  /** Whether it was seen to be in effect. */
  readonly settled: boolean;
  /** What showed that, such as `312 packets dropped`; where it is not settled, what was seen instead. */
  readonly evidence?: string;
  /** After an undo: what is not back, and the command that mends it. */
  readonly left?: readonly LeftOver[];
  /** All replicas of the target that were seen last; empty when none were looked at. */
  readonly replicas: readonly Replica[];
}

export interface LeftOver {
  readonly what: string;
  /** A command, such as `docker service update --force bench_mcp-server`. */
  readonly mend: string;
}

/** A run that another controller began, as its log says. */
export interface KnownRun {
  readonly programs: readonly StartedProgram[];
  /** Epoch ms of the last thing in its log. */
  readonly untilMs: number;
}

/** What is read of an environment again and again while the load is on. */
export type Watched = Pick<Environment, 'usage' | 'news'>;

export interface PlatformContext {
  readonly runId: string;
  readonly runFolder: string;
  /** Where workers find the controller. */
  readonly controllerUrl: string;
  /** Secret: what makes a program that registers a worker of this run. */
  readonly workerToken: string;
  /** How many worker processes; undefined: the platform decides; 0: none, because workers register by themselves. */
  readonly workers: number | undefined;
  /** Gets every process that is started, before it is used, so that a later controller can end it. */
  readonly started: (program: StartedProgram) => void;
}

export interface StartedProgram {
  /** helper: it does faults to the target, or tells a gateway of the servers behind it. */
  readonly role: 'target' | 'worker' | 'helper';
  readonly name: string;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat where there is one: distinguishes this process from a later one with the same id. */
  readonly startTicks: number | undefined;
}

/** How clients get to a target. */
export type Reach = Pick<Environment, 'endpoints' | 'preflightEndpoints'>;

export interface Environment {
  readonly endpoints: readonly Endpoint[];
  /**
   * Where the preflight goes if not to `endpoints`: no session would live long enough behind a gateway that sends each
   * request to another replica.
   */
  readonly preflightEndpoints?: readonly Endpoint[];
  /** In a plan with arms: where the clients of each go. `endpoints` are those of the first. */
  readonly arms?: ReadonlyMap<string, Reach>;
  /** Where clients with this stickiness go; without this method, all of them go to `endpoints`. */
  reach?(sticky: Stickiness): Reach;
  readonly expectedWorkers: number;
  /** Where people find the output of workers, for the hints of errors: `logs/ in the run folder`. */
  readonly workerLogs: string;
  readonly replicas: readonly Replica[];
  /** In a plan with upstreams: how the gateway was told of them, which is done. */
  readonly registration?: Registered;
  /**
   * Where a worker that registered runs; undefined when it does not belong to this environment. Without this method,
   * workers are known by the processes that were started, or every worker that registers counts.
   */
  placeOf?(worker: { readonly host: string }): Place | undefined;
  /** Nodes, kernel, versions, limits: the environment section of the report. */
  describe(): Promise<Readonly<Record<string, unknown>>>;
  /** Resource use, since the last call, of all replicas and workers that this platform started. */
  usage(): Promise<readonly UsageSample[]>;
  /** What has happened since the last call, on order or by itself. Without this method nothing is known. */
  news?(): Promise<News>;
  /** A sentence about a worker that ended by itself and will never register; undefined while there is none. */
  brokenWorker?(): string | undefined;
  /** Removes everything, on its own time budget. Safe to call twice. */
  teardown(): Promise<void>;
}

/** Servers that a gateway was told of, and lists the tools of. Times are milliseconds. */
export interface Registered {
  readonly servers: number;
  /** Of all the servers together. */
  readonly tools: number;
  /** What the gateway lists in all: its own tools may be among them. */
  readonly listed: number;
  /** How long `prepare` took. */
  readonly prepareMs: number;
  /** From the start of `prepare` until a session was seen to list all tools. */
  readonly allListedMs: number;
  /** The time of the look before that one, at which tools were missing: the truth lies between. 0: there was none. */
  readonly notYetMs: number;
  /** How long that session took to read the list of tools. */
  readonly listMs: number;
}

export interface News {
  /** In order of time. */
  readonly notices: readonly Notice[];
  /** All replicas that run now; undefined when they are those of the last call. */
  readonly replicas: readonly Replica[] | undefined;
}

/** Something that happened to what a run consists of or depends on. */
export interface Notice {
  readonly what: NoticeKind;
  /** What it happened to: `mcp-server.2`, `mcp-server`, a node. */
  readonly subject: string;
  /** The service of the subject, if it has one. */
  readonly service?: string;
  readonly node?: string;
  readonly exitCode?: number;
  /** ISO 8601; by the clock of the manager or of the node. */
  readonly happenedAt: string;
  /** For people. */
  readonly text: string;
}

export type NoticeKind =
  /** A task ended that should have run on. */
  | 'task-died'
  /** The kernel killed a process of it because it reached its memory limit. */
  | 'task-out-of-memory'
  | 'task-unhealthy'
  | 'task-stopped'
  | 'task-started'
  | 'task-paused'
  | 'task-resumed'
  | 'service-changed'
  | 'update-started'
  | 'update-ended'
  | 'node-down'
  | 'node-back'
  | 'node-changed'
  /** Its agent does not answer, which Swarm may not know yet. */
  | 'node-silent'
  | 'node-heard'
  /** The gateway sends no more requests to a replica. */
  | 'server-out'
  | 'server-back';

export interface Replica {
  readonly id: string;
  readonly node: string;
  readonly url: string;
  /** As the server calls itself, where that is known. */
  readonly host?: string;
  readonly slot?: number;
  readonly task?: string;
}

/** A task of a swarm, in the terms of `docker service ps`. */
export interface Place {
  readonly service: string;
  readonly slot: number;
  readonly task: string;
  readonly node: string;
}

export interface UsageSample {
  readonly id: string;
  readonly role: 'target' | 'worker';
  /** Share of one core. */
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly receivedBytesPerSecond?: number;
  readonly sentBytesPerSecond?: number;
}
