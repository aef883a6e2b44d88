/** A plan in numbers: shown by `plan` and before each run, and the output of `plan --json`. */
import { describeFault } from '../../../scenarios/schema/faults/fault-kinds.js';
import type { Placeholder, Template } from '../../../scenarios/schema/grammar/template.js';
import { formatDuration } from '../../../scenarios/schema/grammar/units.js';
import { expectedOperations, peakRate, totalDurationMs } from '../../../scenarios/schema/offered-load.js';
import { type Plan, type ProfilePlan, targetsOf, type UpstreamsPlan } from '../../../scenarios/schema/plan.js';
import { redactPlan } from '../../../scenarios/schema/redact.js';

export interface Outline {
  readonly scenario: string;
  readonly description: string;
  readonly seed: number;
  readonly configHash: string;
  readonly target: TargetOutline;
  /** Servers that are started behind the target, and how it is told of them. */
  readonly upstreams?: { readonly servers: number; readonly tools: number; readonly prepare: string };
  /** What is compared in turn; empty without arms. */
  readonly arms: readonly (TargetOutline & { readonly name: string })[];
  readonly processes: {
    readonly targets: number;
    readonly workers: number;
    /** Why the plan needs several workers; undefined where the user set their number. */
    readonly why?: string;
  };
  readonly durationSeconds: number;
  readonly drainSeconds: number;
  readonly clients: number;
  readonly profiles: readonly ProfileOutline[];
  readonly stages: readonly StageOutline[];
  /** Undefined for a closed loop, where the target decides. */
  readonly expectedRequests: number | undefined;
  /** Without answers, whose size depends on the target. */
  readonly estimatedBytesSent: number | undefined;
  readonly limits: {
    readonly clients: number;
    readonly ratePerSecond: number;
    readonly durationSeconds: number;
    readonly bytes: number;
  };
  readonly faults: readonly string[];
  readonly thresholds: readonly string[];
  readonly warnings: readonly string[];
  /** Parts of the plan that the platform cannot do; with any of them the run would not start. */
  readonly refusals: readonly string[];
}

interface TargetOutline {
  readonly kind: Plan['target']['kind'];
  /** Of an image target: the image with its port and path; otherwise empty. */
  readonly image: string;
  /** Of a URL target: its URLs. Of a command target: the command. Otherwise empty. */
  readonly urls: readonly string[];
  readonly replicas: number;
  readonly era: string;
}

interface ProfileOutline {
  readonly name: string;
  readonly clients: number;
  readonly model: 'open' | 'closed' | 'none';
  readonly ratePerClient: number | undefined;
  readonly connections: number;
  readonly operations: readonly string[];
}

interface StageOutline {
  readonly name: string;
  readonly trial: number;
  readonly durationSeconds: number;
  readonly measured: boolean;
  readonly expectedRequests: number | undefined;
  readonly peakRatePerSecond: number | undefined;
}

/** Request line and headers of our own HTTP client in the session era; a little more in the stateless era. */
const HEAD_BYTES = 260;
/** `{"jsonrpc":"2.0","id":1000000000,"method":"tools/call","params":}` */
const ENVELOPE_BYTES = 66;

export function outlineOf(
  plan: Plan,
  options: { readonly workers: number; readonly why?: string; readonly refusals: readonly string[] },
): Outline {
  const expected = expectedOperations(plan);
  const total = sumOrUndefined(expected.map(({ operations }) => operations));
  const sent = sumOrUndefined(
    expected.map(({ profile, operations }) => {
      const found = plan.profiles.find(({ name }) => name === profile);
      return operations === undefined || found === undefined ? undefined : operations * requestBytes(found);
    }),
  );
  const { target, arms = [], limits, upstreams } = redactPlan(plan);
  // Arms with the same servers share them.
  const started = new Map(
    targetsOf(plan).flatMap((one) =>
      'replicas' in one ? [[`${one.kind} ${one.replicas}`, one.replicas] as const] : [],
    ),
  );
  const targets = [...started.values(), upstreams?.servers.length ?? 0].reduce((sum, replicas) => sum + replicas, 0);
  return {
    scenario: plan.scenario,
    description: plan.description,
    seed: plan.seed,
    configHash: plan.source.configHash,
    target: targetOutline(target),
    ...(upstreams === undefined ? {} : { upstreams: upstreamsOutline(upstreams) }),
    arms: arms.map((arm) => ({ name: arm.name, ...targetOutline(arm.target) })),
    processes: { targets, workers: options.workers, ...(options.why === undefined ? {} : { why: options.why }) },
    durationSeconds: totalDurationMs(plan) / 1000,
    drainSeconds: plan.drainMs / 1000,
    clients: atOnce(plan).reduce((sum, { clients }) => sum + clients, 0),
    profiles: plan.profiles.map(profileOutline),
    stages: plan.stages.map((stage) => ({
      name: stage.name,
      trial: stage.trial,
      durationSeconds: stage.durationMs / 1000,
      measured: stage.measured,
      expectedRequests: rounded(
        sumOrUndefined(expected.filter((entry) => entry.stage === stage.index).map(({ operations }) => operations)),
      ),
      peakRatePerSecond: sumOrUndefined(plan.profiles.map((profile) => peakRate(stage, profile))),
    })),
    expectedRequests: rounded(total),
    estimatedBytesSent: rounded(sent),
    limits: {
      clients: limits.clients,
      ratePerSecond: limits.ratePerSecond,
      durationSeconds: limits.durationMs / 1000,
      bytes: limits.bytes,
    },
    faults: plan.faults.map(
      (fault) => `${describeFault(fault)}, from ${formatDuration(fault.atMs)} to ${formatDuration(fault.untilMs)}`,
    ),
    thresholds: plan.thresholds.map(({ check }) => check.text),
    warnings: plan.warnings,
    refusals: options.refusals,
  };
}

/** Arms take turns, so only one has clients. */
function atOnce({ profiles, arms }: Plan): readonly ProfilePlan[] {
  return arms === undefined ? profiles : profiles.filter(({ arm }) => arm === arms[0]?.name);
}

function targetOutline(target: Plan['target']): TargetOutline {
  const { kind, era } = target;
  switch (target.kind) {
    case 'url':
      return { kind, image: '', urls: target.urls, replicas: target.urls.length, era };
    case 'command':
      return { kind, image: '', urls: [target.server.command.join(' ')], replicas: 1, era };
    case 'image': {
      const image = `${target.image} at :${target.port}${target.path}`;
      return { kind, image, urls: [], replicas: target.replicas, era };
    }
    case 'reference':
    case 'sink':
      return { kind, image: '', urls: [], replicas: target.replicas, era };
  }
}

function upstreamsOutline({ servers, prepare }: UpstreamsPlan): NonNullable<Outline['upstreams']> {
  const tools = servers.reduce((sum, server) => sum + server.tools, 0);
  const how = prepare.kind === 'command' ? prepare.command.join(' ') : `${prepare.method} ${prepare.url}`;
  return { servers: servers.length, tools, prepare: how };
}

function profileOutline(profile: ProfilePlan): ProfileOutline {
  const { name, clients, arrivals, connections, operations } = profile;
  return {
    name,
    clients,
    model: arrivals.model,
    ratePerClient: arrivals.model === 'open' ? arrivals.ratePerSecond : undefined,
    connections: connections * clients,
    operations: operations.map((operation) => operation.name),
  };
}

function requestBytes({ operations }: ProfilePlan): number {
  const weights = operations.reduce((sum, { weight }) => sum + weight, 0);
  // A profile that only subscribes has no operations.
  if (weights === 0) return 0;
  return operations.reduce(
    (sum, { params, weight }) => sum + (weight / weights) * (HEAD_BYTES + ENVELOPE_BYTES + templateBytes(params)),
    0,
  );
}

function sumOrUndefined(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce((sum, value) => (sum === undefined || value === undefined ? undefined : sum + value), 0);
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}

/** Average size of the JSON that a template produces; exact for constants. */
export function templateBytes(template: Template): number {
  switch (template.kind) {
    case 'constant':
      return Buffer.byteLength(template.json);
    case 'number':
      return placeholderBytes(template.draw);
    case 'string':
      return (
        2 +
        sum(template.parts.map((part) => (typeof part === 'string' ? Buffer.byteLength(part) : placeholderBytes(part))))
      );
    case 'array':
      return 2 + separators(template.items.length) + sum(template.items.map(templateBytes));
    case 'object':
      return (
        2 +
        separators(template.entries.length) +
        sum(template.entries.map(([key, value]) => Buffer.byteLength(key) + 3 + templateBytes(value)))
      );
  }
}

function placeholderBytes(placeholder: Placeholder): number {
  switch (placeholder.name) {
    case 'text':
      return placeholder.length;
    case 'int':
      return Math.max(String(placeholder.min).length, String(placeholder.max).length);
    case 'pick':
      return sum(placeholder.items.map((item) => Buffer.byteLength(item))) / placeholder.items.length;
    case 'uuid':
      return 36;
    case 'client':
      return 4;
    case 'seq':
      return 5;
    case 'now':
      return 13;
    case 'stamp':
      return 60;
  }
}

function separators(items: number): number {
  return Math.max(0, items - 1);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
