import type { FaultAction } from './faults/fault-kinds.js';
import type { Template } from './grammar/template.js';
import type { MisbehavePlan } from './misbehave.js';
import type { TransportName } from './transports.js';

/**
 * The Plan: a scenario resolved with its profiles and overrides. Frozen, fully defaulted, seeded; everything
 * downstream (allocation, load, thresholds, report) is a function of it. Times are milliseconds, rates per second,
 * sizes bytes. `parse`, `resolve` and the CLI's overrides are the only producers.
 */

export type { MisbehavePlan } from './misbehave.js';

export interface Plan {
  readonly planVersion: 1;
  readonly scenario: string;
  readonly description: string;
  /** One seed, one sequence of operations and arrivals. */
  readonly seed: number;
  /** Where the scenario came from, and the sha256 of everything that decides the load (what comparisons hold equal). */
  readonly source: { readonly file: string; readonly configHash: string };
  readonly target: TargetPlan;
  readonly profiles: readonly ProfilePlan[];
  /** All trials unrolled in order of time; `repeat: 3` gives every stage three times. */
  readonly stages: readonly StagePlan[];
  readonly trials: number;
  /** Of all trials, in order of time. */
  readonly faults: readonly FaultPlan[];
  readonly thresholds: readonly ThresholdPlan[];
  readonly stopWhen: readonly StopRulePlan[];
  readonly onWorkerLoss: WorkerLossPolicy;
  /** How long the last answers may take after the last stage. */
  readonly drainMs: number;
  readonly limits: LimitsPlan;
  /** Things that are legal but probably not meant; printed by `plan` and kept in the report. */
  readonly warnings: readonly string[];
}

export type WorkerLossPolicy = 'fail' | 'replace' | 'continue';
export type Era = 'auto' | 'legacy' | 'modern';

export type TargetPlan =
  | { readonly kind: 'reference' | 'sink'; readonly replicas: number; readonly sticky: Stickiness; readonly era: Era }
  | {
      /** A container image in the place of the stack's own server. */
      readonly kind: 'image';
      readonly image: string;
      /** Where in its container MCP is answered. */
      readonly port: number;
      readonly path: string;
      readonly replicas: number;
      readonly sticky: Stickiness;
      readonly era: Era;
    }
  | {
      readonly kind: 'url';
      readonly urls: readonly string[];
      /** May hold secrets: never logged, never in a report; see `redactPlan`. */
      readonly headers: Readonly<Record<string, string>>;
      /** For https; absent: the system's authorities and no certificate of our own. */
      readonly tls?: TlsPlan;
      /** Bearer tokens: the client with slot k uses token k modulo their number. Secret, as headers are. */
      readonly tokens?: readonly string[];
      readonly era: Era;
    }
  | { readonly kind: 'command'; readonly server: ServerCommand; readonly era: Era };
/** A server to start for each session. */
export interface ServerCommand {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Over `inherited`. Values are secret, as headers are. */
  readonly env: Readonly<Record<string, string>>;
  /** What a shell would give it, of the environment of whoever made the plan: PATH, HOME and the like. */
  readonly inherited: Readonly<Record<string, string>>;
}

/** PEM texts, read when the plan is made. The key is secret; see `redactPlan`. */
export interface TlsPlan {
  /** Authorities to believe in place of the system's. */
  readonly ca?: string;
  /** What we show when the target asks who we are; always with `key`. */
  readonly cert?: string;
  readonly key?: string;
  /** Believe whoever answers. */
  readonly insecure: boolean;
}

export type Stickiness = 'none' | 'session' | 'cookie' | 'source';

/** Something that is changed or broken on purpose for a while. Each kind is a file in `faults/`. */
export type FaultPlan = FaultSpan & FaultAction;

export interface FaultSpan {
  /** `f1`, `f2` and so on, in order of time. */
  readonly id: string;
  /** Run time. */
  readonly atMs: number;
  /** Run time when it is undone; never after the last stage of its trial. */
  readonly untilMs: number;
}

export interface ProfilePlan {
  readonly name: string;
  readonly description: string;
  readonly clients: number;
  /** Global number of this profile's client 0; slots of all profiles are consecutive. */
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
  /** TCP connections per client. */
  readonly connections: number;
  /** Requests in flight per connection. */
  readonly pipeline: number;
  readonly pacing: 'batch' | 'metronome' | 'spin';
  readonly timeoutMs: number;
  readonly onClose: 'delete' | 'abandon' | 'reset';
  readonly operations: readonly OperationPlan[];
  readonly misbehave: MisbehavePlan;
  /** Undefined: its clients open no stream. */
  readonly stream?: StreamPlan;
}

/** The stream on which a client hears what the server has to say by itself: of subscriptions, or only open. */
export interface StreamPlan {
  /** Stages in which it is closed by the client, its session kept; opened again after them. */
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
  /** Calls nothing: only subscribes, or only keeps a stream open. */
  | { readonly model: 'none' };

export type ThinkTimePlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'fixed'; readonly ms: number }
  | { readonly kind: 'uniform'; readonly minMs: number; readonly maxMs: number }
  | { readonly kind: 'exponential'; readonly meanMs: number };

export interface OperationPlan {
  /**
   * What reports and thresholds call it; unique within the profile: tool name, resource or topic uri, prompt name,
   * `ping`, `tools/list`.
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
  /** `params` of the request, with every string that holds `{{ ... }}` parsed. */
  readonly params: Template;
  /** Value of the `Mcp-Name` header in the stateless era. */
  readonly target?: string;
  /** 0 for a subscription: it is made once for each session, beside the mix. */
  readonly weight: number;
  /**
   * The arguments in `params` are still to be made, from what the server says of its tool or prompt; see the preflight.
   */
  readonly autoArguments?: true;
  /** What a correct answer holds beyond the rules of MCP. */
  readonly expect?: ExpectPlan;
  /** It publishes: its arguments hold `{{ stamp }}`, by which subscribers match it. */
  readonly stamped?: true;
  /**
   * Headers that its tool wants made from its arguments, found in the preflight; only where there are headers, and in
   * the stateless era.
   */
  readonly paramHeaders?: readonly HeaderPlan[];
}

export interface HeaderPlan {
  /** In lower case, `mcp-param-` included. */
  readonly name: string;
  /** Of the argument it mirrors. */
  readonly path: readonly string[];
}

export interface ExpectPlan {
  /** Each occurs in some text of the result. */
  readonly contains: readonly string[];
  /** Values at places of the result; `text` is the path as written, `json` the value. */
  readonly equals: readonly {
    readonly text: string;
    readonly path: readonly (string | number)[];
    readonly json: string;
  }[];
  /** Of the JSON-RPC message. */
  readonly minBytes?: number;
  readonly maxBytes?: number;
}

export interface StagePlan {
  readonly index: number;
  readonly name: string;
  /** 1-based trial this stage belongs to. */
  readonly trial: number;
  /** From the start of the run. */
  readonly startMs: number;
  readonly durationMs: number;
  /** False for warm-up and ramps: in the timeline, in no summary. */
  readonly measured: boolean;
  /** What the load fraction scales: how many clients are active, or every client's rate (open loop only). */
  readonly scale: 'clients' | 'rate';
  /** Who takes part, by name; absent: all. See `takesPart`. */
  readonly profiles?: readonly string[];
  /** Piecewise linear load over the whole stage; 1 = 100 %. Times from the start of the run; segments are adjacent. */
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
  /** As written, normalised. */
  readonly text: string;
  readonly metric: string;
  readonly labels: Readonly<Partial<Record<'stage' | 'profile' | 'operation' | 'replica' | 'category', string>>>;
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

export interface LimitsPlan {
  readonly clients: number;
  readonly ratePerSecond: number;
  readonly durationMs: number;
  /** Sent plus received, per run; workers stop their load when their share is used up. */
  readonly bytes: number;
}

/** The part of the plan that a worker needs. */
export type WorkerPlan = Pick<Plan, 'scenario' | 'seed' | 'profiles' | 'stages' | 'drainMs' | 'limits'>;

export function workerPlan(plan: Plan): WorkerPlan {
  const { scenario, seed, profiles, stages, drainMs, limits } = plan;
  return { scenario, seed, profiles, stages, drainMs, limits };
}
