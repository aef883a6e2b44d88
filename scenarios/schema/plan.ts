/**
 * The Plan: a scenario with its profiles and overrides, frozen and with every default filled in. Everything downstream
 * (allocation, load, thresholds, report) is a function of it, and only `loadPlan` makes one. Times are milliseconds,
 * rates per second, sizes bytes.
 */
import type { FaultAction } from './faults/fault-kinds.js';
import type { Template } from './grammar/template.js';
import type { MisbehavePlan } from './misbehave.js';
import type { TransportName } from './transports.js';

export type { MisbehavePlan } from './misbehave.js';

export interface Plan {
  readonly planVersion: 1;
  readonly scenario: string;
  readonly description: string;
  /** One seed, one sequence of operations and arrivals. */
  readonly seed: number;
  /** The scenario's file, and the sha256 of everything that decides the load. See `configHash`. */
  readonly source: { readonly file: string; readonly configHash: string };
  /** With arms, that of the first. */
  readonly target: TargetPlan;
  readonly truth?: TruthPlan;
  /** Servers to start behind the target, which is a gateway. */
  readonly upstreams?: UpstreamsPlan;
  /** What is compared within the run, the base first. Each has copies of the profiles; see `ProfilePlan.arm`. */
  readonly arms?: readonly ArmPlan[];
  readonly profiles: readonly ProfilePlan[];
  /** The stages of all trials, in order of time; `repeat: 3` gives every stage three times. */
  readonly stages: readonly StagePlan[];
  readonly trials: number;
  /** The faults of all trials, in order of time. */
  readonly faults: readonly FaultPlan[];
  readonly thresholds: readonly ThresholdPlan[];
  readonly stopWhen: readonly StopRulePlan[];
  /** What counts as a change when runs of this plan are compared. Absent: the defaults of `swarmbench compare`. */
  readonly compare?: readonly RulePlan[];
  readonly onWorkerLoss: WorkerLossPolicy;
  /** How long to wait for the last answers after the last stage. */
  readonly drainMs: number;
  readonly limits: LimitsPlan;
  /** Percentiles (0 to 100, rising) that tables, charts, terminal and JUnit show; absent: 50, 95 and 99. */
  readonly quantiles?: readonly number[];
  readonly preflight: PreflightPlan;
  /** What is legal but probably not meant. `plan` prints it, and the report keeps it. */
  readonly warnings: readonly string[];
}

export interface ArmPlan {
  readonly name: string;
  readonly target: TargetPlan;
  readonly truth?: TruthPlan;
}

/** Where the server behind a target says how much it has answered. */
export interface TruthPlan {
  /** May hold secrets in its query; see `redactPlan`. */
  readonly url: string;
  /** The place of the count, or of a map of operations to counts. Absent: as the reference server writes it. */
  readonly jsonPath?: readonly (string | number)[];
  /** For a Prometheus at `url`. */
  readonly query?: string;
  /** The label that names the operation in the result of `query`. */
  readonly label?: string;
}

/** Reference servers behind a gateway, and how it is told of them. */
export interface UpstreamsPlan {
  readonly servers: readonly UpstreamPlan[];
  readonly prepare:
    | { readonly kind: 'command'; readonly command: readonly string[] }
    | {
        readonly kind: 'call';
        /** This, headers and body may hold secrets; see `redactPlan`. */
        readonly url: string;
        readonly method: string;
        readonly headers: Readonly<Record<string, string>>;
        /** Text, or what is sent as JSON. Undefined: none. */
        readonly body?: unknown;
      };
  /** From the start of `prepare` until all tools are listed. */
  readonly timeoutMs: number;
}

export interface UpstreamPlan {
  readonly name: string;
  readonly tools: number;
  readonly toolBytes?: number;
  readonly schemaDepth?: number;
  readonly answerBytes?: number;
  readonly pageSize?: number;
}

/** All targets of a plan: of each arm, or the only one. */
export function targetsOf({ target, arms }: Pick<Plan, 'target' | 'arms'>): readonly TargetPlan[] {
  return arms?.map((arm) => arm.target) ?? [target];
}

/** Where the clients of this profile go. */
export function targetOfProfile(
  { target, arms }: Pick<Plan, 'target' | 'arms'>,
  { arm: name }: Pick<ProfilePlan, 'arm'>,
): TargetPlan {
  return arms?.find((arm) => arm.name === name)?.target ?? target;
}

export type WorkerLossPolicy = 'fail' | 'replace' | 'continue';
export type Era = 'auto' | 'legacy' | 'modern';

export type TargetPlan =
  | { readonly kind: 'reference' | 'sink'; readonly replicas: number; readonly sticky: Stickiness; readonly era: Era }
  | {
      /** A container image takes the place of the stack's own server. */
      readonly kind: 'image';
      readonly image: string;
      /** The port in its container at which it answers MCP. */
      readonly port: number;
      readonly path: string;
      readonly replicas: number;
      readonly sticky: Stickiness;
      readonly era: Era;
    }
  | {
      readonly kind: 'url';
      readonly urls: readonly string[];
      /** May hold secrets, so they are never in logs or reports; see `redactPlan`. */
      readonly headers: Readonly<Record<string, string>>;
      /** For https. Absent: the authorities of the system, and no client certificate. */
      readonly tls?: TlsPlan;
      /** Bearer tokens. The client with slot k uses token k modulo their number. Secret, as headers are. */
      readonly tokens?: readonly string[];
      readonly era: Era;
    }
  | { readonly kind: 'command'; readonly server: ServerCommand; readonly era: Era };

/** A server to start for each session. */
export interface ServerCommand {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** These replace `inherited` ones of the same name. Values are secret, as headers are. */
  readonly env: Readonly<Record<string, string>>;
  /** PATH, HOME and the like, from the environment of the process that made the plan. */
  readonly inherited: Readonly<Record<string, string>>;
  /** Absolute. Absent: the folder of the worker. */
  readonly cwd?: string;
  /** The command before variables were filled in, which may be secret: reports show it in place of `command`. */
  readonly writtenCommand?: readonly string[];
  /** How long it may take from its start to its first answer. Absent: as long as any other answer. */
  readonly startTimeoutMs?: number;
}

/** PEM texts, read when the plan is made. The key is secret; see `redactPlan`. */
export interface TlsPlan {
  /** Certificate authorities to trust in place of those of the system. */
  readonly ca?: string;
  /** The client certificate, for a target that asks for one. Always with `key`. */
  readonly cert?: string;
  readonly key?: string;
  /** Do not check the certificate of the target. */
  readonly insecure: boolean;
}

export type Stickiness = 'none' | 'session' | 'cookie' | 'source';

/** Something that is changed or broken on purpose for a while. `faults/fault-kinds.ts` lists all kinds. */
export type FaultPlan = FaultSpan & FaultAction;

interface FaultSpan {
  /** `f1`, `f2` and so on, in order of time. */
  readonly id: string;
  /** The same in all trials, and each time that it comes again. The `fault` label of thresholds. */
  readonly name: string;
  /** Run time. */
  readonly atMs: number;
  /** Run time when it is undone, at the latest with the end of the last stage of its trial. */
  readonly untilMs: number;
  /** It ends as soon as it was seen in effect, at the latest at `untilMs`. */
  readonly once?: true;
}

export interface ProfilePlan {
  /** In a plan with arms `NAME@ARM`. */
  readonly name: string;
  /**
   * Whose clients these are. The copies of a profile in other arms have the same slots, so the same arrivals and the
   * same random values, but never at the same time.
   */
  readonly arm?: string;
  readonly description: string;
  readonly clients: number;
  /** Number in the run of this profile's client 0. The slots of all profiles are consecutive. */
  readonly firstSlot: number;
  readonly transport: TransportName;
  /** Where it differs from the target's. */
  readonly sticky?: Stickiness;
  /** Where it differs from the target's. */
  readonly era?: Era;
  readonly session: SessionPlan;
  readonly arrivals: ArrivalsPlan;
  /** Most operations of one client on the wire at once; never more than connections x pipeline. */
  readonly maxInFlight: number;
  /** TCP connections of one client. */
  readonly connections: number;
  /** Requests in flight on one connection. */
  readonly pipeline: number;
  /** `auto`: the worker chooses by the rate that it has to send. */
  readonly pacing: 'auto' | 'batch' | 'metronome' | 'spin';
  readonly timeoutMs: number;
  readonly onClose: 'delete' | 'abandon' | 'reset';
  readonly operations: readonly OperationPlan[];
  readonly misbehave: MisbehavePlan;
  /** Undefined: its clients open no stream. */
  readonly stream?: StreamPlan;
}

/** The stream for messages that the server sends by itself. */
export interface StreamPlan {
  /** Stages in which the client closes it, but keeps its session. It is opened again after them. */
  readonly away: readonly string[];
  /** Whether a stream that is opened again asks for what it missed (`Last-Event-ID`, session era). */
  readonly resume: boolean;
}

export type SessionPlan =
  | { readonly mode: 'reuse' }
  | { readonly mode: 'pool'; readonly size: number }
  | { readonly mode: 'per-request' }
  | { readonly mode: 'churn'; readonly every: { readonly operations: number } | { readonly ms: number } };

export type ArrivalsPlan =
  | { readonly model: 'open'; readonly ratePerSecond: number; readonly spacing: 'uniform' | 'poisson' }
  | { readonly model: 'closed'; readonly thinkTime: ThinkTimePlan }
  /** The clients call nothing: they only subscribe, or keep a stream open. */
  | { readonly model: 'none' };

export type ThinkTimePlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'fixed'; readonly ms: number }
  | { readonly kind: 'uniform'; readonly minMs: number; readonly maxMs: number }
  | { readonly kind: 'exponential'; readonly meanMs: number };

export interface OperationPlan {
  /**
   * The name in reports and thresholds, unique within the profile. Default: the tool, the uri, the prompt, or the
   * method.
   */
  readonly name: string;
  readonly method:
    | 'tools/call'
    | 'resources/read'
    | 'prompts/get'
    | 'ping'
    | 'tools/list'
    | 'resources/list'
    | 'prompts/list'
    | 'resources/subscribe';
  /** `params` of the request, with every `{{ ... }}` in them parsed. */
  readonly params: Template;
  /** Value of the `Mcp-Name` header in the stateless era. */
  readonly target?: string;
  /** 0 for a subscription, which is made once for each session. */
  readonly weight: number;
  /** The preflight makes the arguments in `params` from what the server says of its tool or prompt. */
  readonly autoArguments?: true;
  /** It stands for every tool of the server that is not destructive. The preflight puts them in its place. */
  readonly everyTool?: true;
  /** What a correct answer holds beyond the rules of MCP. */
  readonly expect?: ExpectPlan;
  /** Which answers are held against the tool's `outputSchema`; absent: those that are parsed. */
  readonly validate?: 'all' | 'none';
  /** The `outputSchema` of its tool, as JSON. The preflight finds it. */
  readonly outputSchema?: string;
  /** It publishes: its arguments hold `{{ stamp }}`, by which subscribers count. */
  readonly stamped?: true;
  /**
   * Headers that its tool wants to have made from the arguments. The preflight finds them, in the stateless era and
   * over transports with headers.
   */
  readonly paramHeaders?: readonly HeaderPlan[];
}

export interface HeaderPlan {
  /** In lower case, with `mcp-param-`. */
  readonly name: string;
  /** The path of the argument that it repeats. */
  readonly path: readonly string[];
}

export interface ExpectPlan {
  /** Each must occur in some text of the result; templates take the values that the request drew. */
  readonly contains: readonly (string | Template)[];
  /** Values at places in the result: `text` is the path as written, `json` the value. */
  readonly equals: readonly {
    readonly text: string;
    readonly path: readonly (string | number)[];
    readonly json: string;
    /** In place of `json` where the value holds what the request drew. */
    readonly template?: Template;
  }[];
  /** The size of the JSON-RPC message. */
  readonly minBytes?: number;
  readonly maxBytes?: number;
}

export interface StagePlan {
  readonly index: number;
  readonly name: string;
  /** The trial that this stage belongs to, from 1. */
  readonly trial: number;
  /** Whose turn it is, in a plan with arms. */
  readonly arm?: string;
  /** From 1; every arm has one turn in each block of a stage. Only where it is measured. */
  readonly block?: number;
  /** From the start of the run. */
  readonly startMs: number;
  readonly durationMs: number;
  /** False for warm-up and ramps, which are in the timeline, but in no summary. */
  readonly measured: boolean;
  /** What the load scales: how many clients are active, or the rate of each client (open loop only). */
  readonly scale: 'clients' | 'rate';
  /** The names of the profiles that take part. Absent: all. See `takesPart`. */
  readonly profiles?: readonly string[];
  /** Piecewise linear load over the whole stage, in adjacent segments; 1 is 100 %. Times from the start of the run. */
  readonly segments: readonly LoadSegment[];
}

export interface LoadSegment {
  readonly startMs: number;
  readonly endMs: number;
  readonly from: number;
  readonly to: number;
}

export type Comparison = '<' | '<=' | '>' | '>=' | '==' | '!=';

export interface Check {
  /** As written, but normalised. */
  readonly text: string;
  readonly metric: string;
  readonly labels: Readonly<
    Partial<Record<'stage' | 'arm' | 'profile' | 'operation' | 'replica' | 'category' | 'phase' | 'fault', string>>
  >;
  readonly comparison: Comparison;
  /** In the metric's base unit: milliseconds, fraction (1 % = 0.01), per second, bytes, or a count. */
  readonly value: number;
}

export interface ThresholdPlan {
  readonly check: Check;
  readonly abortOnFail: boolean;
  /** Not judged while running before this much measured time has passed. */
  readonly afterMs: number;
}

export interface StopRulePlan {
  readonly check: Check;
  readonly windowMs: number;
}

/** The session that is tried before the load. */
export interface PreflightPlan {
  /** One trial call of each operation. require: it must succeed; warn: a failure is noted; skip: there is none. */
  readonly calls: 'require' | 'warn' | 'skip';
  /** Time limit of each of its requests; of a trial call, the timeout of its profile where that is longer. */
  readonly timeoutMs: number;
}

/** How much worse a figure must be to count as worse: by more than both parts, where it has two. */
export interface RulePlan {
  /** As written, but normalised. */
  readonly text: string;
  readonly metric: string;
  readonly labels: Check['labels'];
  readonly worse: 'higher' | 'lower';
  /** Share of the base: 10 % is 0.1. */
  readonly relative?: number;
  /** In the metric's base unit: milliseconds, fraction (1 pp = 0.01), per second. */
  readonly absolute?: number;
}

export interface LimitsPlan {
  readonly clients: number;
  readonly ratePerSecond: number;
  readonly durationMs: number;
  /** Sent and received in the whole run. A worker stops its load when its share is used up. */
  readonly bytes: number;
  /** The longest answer that is read, in bytes. */
  readonly answerBytes: number;
}

/** A stretch of run time. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The part of the plan that a worker needs. */
export type WorkerPlan = Pick<
  Plan,
  'scenario' | 'seed' | 'profiles' | 'stages' | 'drainMs' | 'limits' | 'preflight'
> & {
  /** When outcomes are also counted in bins of 100 ms, in order and apart. Absent: never. */
  readonly binned?: readonly TimeSpan[];
};

export function workerPlan(plan: Plan): WorkerPlan {
  const { scenario, seed, profiles, stages, drainMs, limits, preflight } = plan;
  const binned = binnedSpans(plan);
  return { scenario, seed, profiles, stages, drainMs, limits, preflight, ...(binned.length === 0 ? {} : { binned }) };
}

/** Before a fault there must be enough to compare with, and afterwards time to recover. */
export const FAULT_BEFORE_MS = 10_000;
export const FAULT_AFTER_MS = 60_000;
/** Faults begin and end a little later than planned. */
const SLACK_MS = 5_000;

function binnedSpans({ faults }: Pick<Plan, 'faults'>): readonly TimeSpan[] {
  const spans: TimeSpan[] = [];
  for (const { atMs, untilMs } of faults) {
    const span = { fromMs: Math.max(0, atMs - FAULT_BEFORE_MS), toMs: untilMs + FAULT_AFTER_MS + SLACK_MS };
    const last = spans.at(-1);
    if (last === undefined || span.fromMs > last.toMs) spans.push(span);
    else spans[spans.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, span.toMs) };
  }
  return spans;
}
