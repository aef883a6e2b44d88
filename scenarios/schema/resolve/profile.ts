import type { MapNode } from '../../yaml/node.js';
import { parseDuration } from '../grammar/units.js';
import { checkNode, validParts } from '../keys/check-node.js';
import { type ProfileSource, profileSchema } from '../keys/profile-schema.js';
import type { ArrivalsPlan, Era, OperationPlan, ProfilePlan, SessionPlan, ThinkTimePlan } from '../plan.js';
import { type ReportProblem, SourcePart } from '../source-part.js';
import { factsOf, type TransportName } from '../transports.js';
import { resolveMisbehave } from './misbehave.js';
import { resolveOperations } from './operations.js';
import { resolveStream } from './stream.js';

interface ProfileContext {
  readonly era: Era;
  /** Names of the scenario's stages. */
  readonly stages: readonly string[];
  readonly scaleMs: (ms: number) => number;
  readonly report: ReportProblem;
  readonly warn: (warning: string) => void;
  /** Of the target, for a profile that names none. */
  readonly transport: TransportName | undefined;
}

/**
 * A merged profile into its plan; undefined when anything in it is wrong, all of which is reported.
 * @param prefix its path in the scenario, such as `workload.flood`
 */
export function resolveProfile(
  node: MapNode,
  prefix: string,
  firstSlot: number,
  context: ProfileContext,
): ProfilePlan | undefined {
  let wrong = false;
  const report: ReportProblem = (problem) => {
    wrong = true;
    context.report(problem);
  };
  const part = new SourcePart(node, prefix, report);
  const checked = checkNode(profileSchema, node, prefix);
  if (!checked.ok) {
    checked.problems.forEach(report);
    const { operations } = validParts(profileSchema, node);
    if (operations !== undefined) resolveOperations(operations, part, context.era);
    return undefined;
  }
  const source = checked.value;
  const operations = resolveOperations(source.operations, part, source.era ?? context.era);
  const session = resolveSession(source, part, context.scaleMs);
  const arrivals = resolveArrivals(source, operations, part, context.scaleMs);
  const misbehave = resolveMisbehave(source, part, context.scaleMs);
  const transport = part.has(['transport']) ? source.transport : (context.transport ?? source.transport);
  const stream = resolveStream(source, operations, part, { era: context.era, stages: context.stages, transport });
  const window = resolveWindow(source, part, context.warn);
  if (wrong || session === undefined || arrivals === undefined) return undefined;
  if (session.mode === 'pool' && session.size > source.clients) {
    context.warn(
      `profile ${source.name}: a pool of ${session.size} sessions for ${source.clients} clients: ${source.clients} sessions are used`,
    );
  }
  return {
    name: source.name,
    description: source.description ?? '',
    clients: source.clients,
    firstSlot,
    transport,
    ...(source.gateway === undefined ? {} : { sticky: source.gateway.sticky }),
    ...(source.era === undefined ? {} : { era: source.era }),
    session,
    arrivals,
    ...window,
    pacing: source.pacing,
    timeoutMs: source.timeout,
    onClose: source.onClose,
    operations,
    misbehave,
    ...(stream === undefined ? {} : { stream }),
  };
}

/** How long a client keeps its session, when it calls, and how much it has on the wire. */

/** @param scaleMs of `--time-scale`, for sessions that end after a time */
function resolveSession(
  source: ProfileSource,
  profile: SourcePart,
  scaleMs: (ms: number) => number,
): SessionPlan | undefined {
  const written = typeof source.session === 'string' ? { mode: source.session } : source.session;
  const { mode } = written;
  const size = 'size' in written ? written.size : undefined;
  const every = 'every' in written ? written.every : undefined;
  if (size !== undefined && mode !== 'pool')
    profile.reportAtKey(['session', 'size'], 'CONFLICT', `\`size\` is for mode pool, not ${mode}`);
  if (every !== undefined && mode !== 'churn')
    profile.reportAtKey(['session', 'every'], 'CONFLICT', `\`every\` is for mode churn, not ${mode}`);
  switch (mode) {
    case 'reuse':
    case 'per-request':
      return { mode };
    case 'pool':
      if (size !== undefined) return { mode, size };
      profile.reportAtValue(['session'], 'MISSING_KEY', 'a pool needs a size', '{ mode: pool, size: 10 }');
      return undefined;
    case 'churn':
      if (every !== undefined) return churn(every, profile, scaleMs);
      profile.reportAtValue(
        ['session'],
        'MISSING_KEY',
        'churn needs to know how often',
        '{ mode: churn, every: 100 operations } or { mode: churn, every: 30s }',
      );
      return undefined;
  }
}

function churn(every: string, profile: SourcePart, scaleMs: (ms: number) => number): SessionPlan | undefined {
  const operations = /^(\d+) operations?$/.exec(every)?.[1];
  if (operations !== undefined && Number(operations) > 0)
    return { mode: 'churn', every: { operations: Number(operations) } };
  const ms = parseDuration(every);
  if (ms !== undefined && ms > 0) return { mode: 'churn', every: { ms: scaleMs(ms) } };
  profile.reportAtValue(
    ['session', 'every'],
    'INVALID_VALUE',
    `\`${every}\` is neither a number of operations nor a duration`,
    'such as "100 operations" or 30s',
  );
  return undefined;
}

/**
 * @param operations of the mix, subscriptions among them: a client that only subscribes has nothing that could be due
 */
function resolveArrivals(
  source: ProfileSource,
  operations: readonly OperationPlan[],
  profile: SourcePart,
  scaleMs: (ms: number) => number,
): ArrivalsPlan | undefined {
  const { arrivals, thinkTime } = source;
  const idleMs = source.misbehave?.idle;
  if (operations.length > 0 && operations.every(({ weight }) => weight === 0)) {
    for (const key of ['arrivals', 'thinkTime'] as const) {
      if (source[key] !== undefined)
        profile.reportAtKey(
          [key],
          'CONFLICT',
          `\`${key}\` says when to call, and this profile only subscribes`,
          'take it out, or start from `profile: subscriber`',
        );
    }
    for (const key of ['idle', 'abort', 'malformed'] as const) {
      if (source.misbehave?.[key] !== undefined)
        profile.reportAtKey(
          ['misbehave', key],
          'CONFLICT',
          `\`misbehave.${key}\` is about what a client calls, and this profile only subscribes`,
          'take it out',
        );
    }
    return { model: 'none' };
  }
  if (idleMs !== undefined) {
    const conflicting = arrivals !== undefined ? 'arrivals' : thinkTime !== undefined ? 'thinkTime' : undefined;
    if (conflicting === undefined) return { model: 'closed', thinkTime: { kind: 'fixed', ms: scaleMs(idleMs) } };
    profile.reportAtKey(
      [conflicting],
      'CONFLICT',
      `\`${conflicting}\` and \`misbehave.idle\` exclude each other`,
      'idle says itself when a client calls: once after each stretch of silence',
    );
    return undefined;
  }
  if (arrivals !== undefined && thinkTime !== undefined) {
    profile.reportAtKey(
      ['thinkTime'],
      'CONFLICT',
      '`arrivals` and `thinkTime` exclude each other',
      'arrivals: calls at fixed times (open loop); thinkTime: pauses between calls (closed loop)',
    );
    return undefined;
  }
  if (arrivals !== undefined) return { model: 'open', ratePerSecond: arrivals.rate, spacing: arrivals.spacing };
  if (thinkTime === undefined) {
    profile.reportAtValue(
      [],
      'MISSING_KEY',
      'nothing says when this profile calls',
      'give arrivals: { rate: 10/s } (open loop) or thinkTime: 100ms (closed loop)',
    );
    return undefined;
  }
  const resolved = resolveThinkTime(thinkTime, profile);
  return resolved === undefined ? undefined : { model: 'closed', thinkTime: resolved };
}

function resolveThinkTime(
  source: NonNullable<ProfileSource['thinkTime']>,
  profile: SourcePart,
): ThinkTimePlan | undefined {
  if (typeof source === 'number') return source === 0 ? { kind: 'none' } : { kind: 'fixed', ms: source };
  const { min, max, mean, distribution } = source;
  if (min !== undefined && max !== undefined && mean === undefined && distribution === undefined) {
    if (min <= max) return { kind: 'uniform', minMs: min, maxMs: max };
    profile.reportAtValue(['thinkTime', 'max'], 'CONFLICT', '`max` is less than `min`');
    return undefined;
  }
  if (mean !== undefined && distribution !== undefined && min === undefined && max === undefined)
    return { kind: 'exponential', meanMs: mean };
  profile.reportAtValue(
    ['thinkTime'],
    'CONFLICT',
    'a think time is one duration, `min` with `max`, or `mean` with `distribution`',
    '{ min: 50ms, max: 150ms } or { mean: 100ms, distribution: exponential }',
  );
  return undefined;
}

type Window = Pick<ProfilePlan, 'maxInFlight' | 'connections' | 'pipeline'>;

/**
 * Connections an open-loop client may open when the profile does not say: as many as a browser opens to one host, and
 * two more.
 */
const OPEN_LOOP_CONNECTIONS = 8;

/**
 * The one connection of a transport that knows no more: its pipeline is the window, and said to be as deep as that
 * unless it is said otherwise.
 */
function resolveOneConnection(source: ProfileSource, profile: SourcePart, transport: TransportName): ProfileSource {
  if (source.connections !== undefined && source.connections > 1) {
    profile.reportAtKey(
      ['connections'],
      'CONFLICT',
      `a session over ${transport} is one connection: ${source.connections} of them would be as many sessions`,
      'take `connections` out: maxInFlight is how much is in flight on it, clients how many there are',
    );
  }
  const byDefault = source.maxInFlight ?? (source.arrivals === undefined ? 1 : OPEN_LOOP_CONNECTIONS);
  return { ...source, connections: 1, pipeline: profile.has(['pipeline']) ? source.pipeline : byDefault };
}

/** @param warn told of a window that connections and pipeline cannot fill */
function resolveWindow(written: ProfileSource, profile: SourcePart, warn: (warning: string) => void): Window {
  const { transport } = written;
  const source = factsOf(transport).oneConnection ? resolveOneConnection(written, profile, transport) : written;
  const { maxInFlight, pipeline } = source;
  const open = source.arrivals !== undefined;
  const byDefault = maxInFlight === undefined ? (open ? OPEN_LOOP_CONNECTIONS : 1) : Math.ceil(maxInFlight / pipeline);
  const connections = source.connections ?? byDefault;
  const fits = connections * pipeline;
  const wanted = maxInFlight ?? (open ? fits : 1);
  const session = typeof source.session === 'string' ? source.session : source.session.mode;
  if (!factsOf(transport).pipelines && written.pipeline > 1) {
    profile.reportAtKey(
      ['pipeline'],
      'CONFLICT',
      `over ${transport} a connection carries one request at a time: its client has no pipelining`,
      'take `pipeline` out: connections is how many are in flight',
    );
  }
  if (session === 'per-request' && written.pipeline > 1) {
    profile.reportAtKey(
      ['pipeline'],
      'CONFLICT',
      'with session per-request a connection carries one operation: there is nothing to pipeline',
      'take `pipeline` out; maxInFlight is how many sessions a client has at once',
    );
  }
  if (wanted > fits) {
    warn(
      `profile ${source.name}: maxInFlight ${wanted} cannot be reached with ${connections} connection(s) x pipeline ${pipeline}; at most ${fits} are on the wire at once`,
    );
  }
  return { maxInFlight: Math.min(wanted, fits), connections, pipeline };
}
