/**
 * The contract between controller and workers: HTTP/1.1, JSON, `protocol` in every body.
 * `telemetry.ts` has what workers measure.
 *
 * Both ends parse with these schemas. Times ending in `Ms` are milliseconds; `*At` are epoch milliseconds of the
 * controller's clock unless the name says otherwise; `fromMs`/`toMs` count from the start of the run.
 */
import { z } from 'zod';
import type { SlotSet } from '../../scenarios/schema/allocate.js';
import type { ServerCommand, TlsPlan, WorkerPlan } from '../../scenarios/schema/plan.js';
import type { TransportName } from '../../scenarios/schema/transports.js';
import type { IdRange } from './id-ranges.js';
import { settledOperation } from './settled-operation.js';

export const PROTOCOL = 1;

const count = z.number().int().min(0);
const version = z.literal(PROTOCOL);

// ---- registration -------------------------------------------------------------------------------------------

export const registration = z.strictObject({
  protocol: version,
  host: z.string().min(1),
  pid: z.number().int().positive(),
  /** Requested place in the order of allocation (in a Swarm: the slot of the task, from 1). */
  slot: z.number().int().positive().optional(),
  /** `bound`: what limits `connections` on its machine, as text. */
  capacity: z.strictObject({
    clients: count,
    ratePerSecond: z.number().min(0),
    connections: count,
    bound: z.string().optional(),
  }),
  threads: z.number().int().positive(),
  version: z.string(),
  /** Identifies the process: a worker that registers again (after a 404) keeps it, a restarted one does not. */
  incarnation: z.uuid(),
  /**
   * The run that the worker still works on, so that a restarted controller can adopt it, and the batches it still
   * holds.
   */
  running: z
    .strictObject({ runId: z.string(), workerId: z.string(), oldestUnacknowledged: count.optional() })
    .optional(),
});
export type Registration = z.infer<typeof registration>;

export const registered = z.strictObject({
  protocol: version,
  workerId: z.string(),
  token: z.string(),
  heartbeatMs: z.number().positive(),
  leaseMs: z.number().positive(),
  now: z.number(),
});
export type Registered = z.infer<typeof registered>;

// ---- heartbeat ----------------------------------------------------------------------------------------------

/** The worker's view of itself over the last heartbeat interval. Ratios are 0..1. */
export const health = z.strictObject({
  /** In cores, so 2 threads can reach 2. */
  cpu: z.number().min(0),
  /** Processors that it may use: of its machine, or of the quota of its cgroup. */
  cores: z.number().positive().optional(),
  memoryBytes: count,
  /** Of the worst engine thread, including its waiting for a processor. */
  eventLoopUtilization: z.number().min(0),
  /**
   * Share of the interval in which the worst engine thread was ready to run but had no processor; absent: not known.
   */
  processorWait: z.number().min(0).max(1).optional(),
  eventLoopDelayP99Ms: z.number().min(0),
  lagP99Ms: z.number().min(0),
  /** Share of the interval in which the cgroup throttled the process; 0 if unknown. */
  throttledRatio: z.number().min(0),
  clients: count,
  sessions: count,
  connections: count,
  inFlight: count,
  /** Operations that are due and wait to be sent. */
  queued: count,
  openFiles: count,
  openFilesLimit: count,
  localPorts: count.optional(),
  localPortsLimit: count.optional(),
  saturated: z.boolean(),
  /** When saturated: what is at its limit, as text. */
  reason: z.string().optional(),
});
export type Health = z.infer<typeof health>;

/** The offset to add to the worker's clock to get the controller's, and its greatest possible error. */
export const clock = z.strictObject({ offsetMs: z.number(), errorMs: z.number().min(0), roundTrips: count });
export type Clock = z.infer<typeof clock>;

export const heartbeat = z.strictObject({
  protocol: version,
  /** The worker's clock, epoch ms. */
  now: z.number(),
  health: health.optional(),
  clock: clock.optional(),
});
export type Heartbeat = z.infer<typeof heartbeat>;

export const heartbeatAnswer = z.strictObject({ protocol: version, now: z.number() });

// ---- orders of the controller (server-sent events, numbered by the event's id) ------------------------------

/**
 * Where to send the load. A client uses the endpoint with the number of its allocation key modulo the number of
 * endpoints of its transport; see `endpointsFor`.
 */
export interface Endpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The transport of this endpoint; absent: any transport with the scheme of the URL. */
  readonly transport?: TransportName;
  /** The server that each session starts, if there is none to connect to. */
  readonly server?: ServerCommand;
  /** For https; absent: the system's certificate authorities, and no client certificate. */
  readonly tls?: TlsPlan;
  /** Bearer tokens; the client with slot k sends token k modulo their number. */
  readonly tokens?: readonly string[];
  /** Addresses of the worker's machine that its clients connect from, in turn; absent: the kernel chooses. */
  readonly sources?: readonly string[];
  /** Name of the one replica behind the endpoint, for servers that do not name themselves in their answers. */
  readonly replica?: string;
  /** Whether cookies that the server sets are kept for the duration of a session and sent back. */
  readonly cookies?: boolean;
}

/** Determined once in preflight, then fixed. */
export interface PinnedProtocol {
  readonly era: 'legacy' | 'modern';
  readonly version: string;
  /** Legacy only: whether the server issues session ids. */
  readonly sessions: boolean;
}

/** Profiles (by index) that reach the target by the same endpoints and in the same era. */
export interface PreflightRoute {
  readonly profiles: readonly number[];
  readonly endpoints: readonly Endpoint[];
  readonly era: 'auto' | 'legacy' | 'modern';
}

/** A route once its era has been determined. */
export interface Route {
  readonly profiles: readonly number[];
  readonly endpoints: readonly Endpoint[];
  readonly pinned: PinnedProtocol;
}

export interface PreflightOrder {
  readonly type: 'preflight';
  readonly protocol: typeof PROTOCOL;
  readonly runId: string;
  readonly plan: WorkerPlan;
  readonly endpoints: readonly Endpoint[];
  readonly era: 'auto' | 'legacy' | 'modern';
  /** If profiles differ: every profile in one of these; `endpoints` and `era` are then those of the first. */
  readonly routes?: readonly PreflightRoute[];
}

export interface AssignmentOrder {
  readonly type: 'assignment';
  readonly protocol: typeof PROTOCOL;
  readonly runId: string;
  readonly workerId: string;
  /** Unique in the run. A worker may get several assignments (slots of a lost worker); it ignores repeated ones. */
  readonly assignmentId: string;
  readonly plan: WorkerPlan;
  readonly endpoints: readonly Endpoint[];
  readonly pinned: PinnedProtocol;
  /** If profiles differ: every profile in one of these; `endpoints` and `pinned` are then those of the first. */
  readonly routes?: readonly Route[];
  readonly slots: readonly SlotSet[];
  /**
   * Start of the run. It is in the past for slots that moved: the worker joins at the current point of the schedule.
   */
  readonly startAt: number;
  /** The slots join at this run time and ignore what was due before. */
  readonly joinMs: number;
  /** The worker's share of the ids of requests, which are unique in the run; absent: all of them. */
  readonly ids?: IdRange;
  /**
   * The sessions with which the first stage works are opened before the run starts. The worker says when it has tried
   * all of them (`POST /workers/:id/opened`); `startAt` is then the latest start, and a `begin` order names the real
   * one.
   */
  readonly openFirst?: true;
}

/** The sessions of all workers are open: the run starts earlier than its assignments said. */
export interface BeginOrder {
  readonly type: 'begin';
  readonly protocol: typeof PROTOCOL;
  readonly runId: string;
  readonly startAt: number;
}

export interface AdjustOrder {
  readonly type: 'adjust';
  readonly protocol: typeof PROTOCOL;
  readonly runId: string;
  readonly adjustId: string;
  /** Run time from which the load fraction is `load`, until the stage ends. */
  readonly atMs: number;
  readonly stage: number;
  readonly load: number;
  /** All profiles when absent. */
  readonly profile?: string;
}

export interface StopOrder {
  readonly type: 'stop';
  readonly protocol: typeof PROTOCOL;
  readonly runId: string;
  /** `drain`: no new operations, but wait for answers; `now`: cut. */
  readonly mode: 'drain' | 'now';
}

export type Order = PreflightOrder | AssignmentOrder | BeginOrder | AdjustOrder | StopOrder;

// ---- sessions that open before the load ------------------------------------------------------------------------

/** The worker has tried to open every session that was to be open before the start. */
export const sessionsOpened = z.strictObject({ protocol: version, runId: z.string() });
export type SessionsOpened = z.infer<typeof sessionsOpened>;

// ---- preflight result ---------------------------------------------------------------------------------------

export const exchange = z.strictObject({
  step: z.string(),
  request: z.string(),
  response: z.string(),
  durationMs: z.number(),
  ok: z.boolean(),
  problem: z.string().optional(),
});
export type Exchange = z.infer<typeof exchange>;

export const pinnedProtocol = z.strictObject({
  era: z.enum(['legacy', 'modern']),
  version: z.string(),
  sessions: z.boolean(),
});

export const preflightResult = z.strictObject({
  protocol: version,
  runId: z.string(),
  ok: z.boolean(),
  /** When not ok: the request, the answer and what to do, as text. */
  problem: z.string().optional(),
  pinned: pinnedProtocol.optional(),
  /** One for each route of the order, in the same order; `pinned` is then that of the first. */
  routes: z.array(pinnedProtocol).optional(),
  serverInfo: z.strictObject({ name: z.string(), version: z.string() }).optional(),
  tools: z.array(z.string()),
  settledOperations: z.array(settledOperation).optional(),
  /** What the load is likely to meet although the preflight passed. */
  warnings: z.array(z.string()).optional(),
  exchanges: z.array(exchange),
});
export type PreflightResult = z.infer<typeof preflightResult>;
