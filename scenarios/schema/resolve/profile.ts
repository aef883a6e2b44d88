/** A profile with a workload's overrides merged in, resolved into the profile of the plan. */
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

export interface ProfileContext {
  readonly era: Era;
  /** Names of the scenario's stages. */
  readonly stages: readonly string[];
  readonly scaleMs: (ms: number) => number;
  readonly report: ReportProblem;
  readonly warn: (warning: string) => void;
  /** For a profile that names none. */
  readonly transport: TransportName | undefined;
  /** For all profiles, whatever they say. */
  readonly everyTransport: TransportName | undefined;
}

/**
 * @param prefix path of the profile in the scenario, such as `workload.flood`
 * @returns undefined when anything is wrong, which is reported
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
  const profilePart = new SourcePart(node, prefix, report);
  const source = checkNode(profileSchema, profilePart);
  if (source === undefined) {
    const { operations } = validParts(profileSchema, node);
    if (operations !== undefined) resolveOperations(operations, profilePart, context.era);
    return undefined;
  }
  const operations = resolveOperations(source.operations, profilePart, source.era ?? context.era);
  const session = resolveSession(source, profilePart, context.scaleMs);
  const arrivals = resolveArrivals(source, operations, profilePart, context.scaleMs);
  const misbehave = resolveMisbehave(source, profilePart, context.scaleMs);
  const own = profilePart.has(['transport']) ? source.transport : (context.transport ?? source.transport);
  const transport = context.everyTransport ?? own;
  const stream = resolveStream(source, operations, profilePart, {
    era: context.era,
    stages: context.stages,
    transport,
  });
  const window = resolveWindow(source, profilePart, context.warn);
  if (wrong || session === undefined || arrivals === undefined) return undefined;
  if (session.mode === 'pool' && session.size > source.clients) {
    context.warn(
      `profile ${source.name}: a pool of ${session.size} sessions for ${source.clients} clients; ` +
        `only ${source.clients} sessions are used`,
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

/** @param scaleMs of `--time-scale`, for sessions that end after a time */
function resolveSession(
  source: ProfileSource,
  profilePart: SourcePart,
  scaleMs: (ms: number) => number,
): SessionPlan | undefined {
  const written = typeof source.session === 'string' ? { mode: source.session } : source.session;
  const { mode } = written;
  const size = 'size' in written ? written.size : undefined;
  const every = 'every' in written ? written.every : undefined;
  if (size !== undefined && mode !== 'pool')
    profilePart.reportAtKey(['session', 'size'], 'CONFLICT', `\`size\` is for mode pool, not ${mode}`);
  if (every !== undefined && mode !== 'churn')
    profilePart.reportAtKey(['session', 'every'], 'CONFLICT', `\`every\` is for mode churn, not ${mode}`);
  switch (mode) {
    case 'reuse':
    case 'per-request':
      return { mode };
    case 'pool':
      if (size !== undefined) return { mode, size };
      profilePart.reportAtValue(['session'], 'MISSING_KEY', 'a pool needs a size', '{ mode: pool, size: 10 }');
      return undefined;
    case 'churn':
      if (every !== undefined) return churn(every, profilePart, scaleMs);
      profilePart.reportAtValue(
        ['session'],
        'MISSING_KEY',
        'churn needs to know how often',
        '{ mode: churn, every: 100 operations } or { mode: churn, every: 30s }',
      );
      return undefined;
  }
}

function churn(every: string, profilePart: SourcePart, scaleMs: (ms: number) => number): SessionPlan | undefined {
  const operations = /^(\d+) operations?$/.exec(every)?.[1];
  if (operations !== undefined && Number(operations) > 0)
    return { mode: 'churn', every: { operations: Number(operations) } };
  const ms = parseDuration(every);
  if (ms !== undefined && ms > 0) return { mode: 'churn', every: { ms: scaleMs(ms) } };
  profilePart.reportAtValue(
    ['session', 'every'],
    'INVALID_VALUE',
    `\`${every}\` is neither a number of operations nor a duration`,
    'such as "100 operations" or 30s',
  );
  return undefined;
}

function resolveArrivals(
  source: ProfileSource,
  operations: readonly OperationPlan[],
  profilePart: SourcePart,
  scaleMs: (ms: number) => number,
): ArrivalsPlan | undefined {
  const { arrivals, thinkTime } = source;
  const idleMs = source.misbehave?.idle;
  if (operations.length > 0 && operations.every(({ weight }) => weight === 0)) {
    for (const key of ['arrivals', 'thinkTime'] as const) {
      if (source[key] !== undefined)
        profilePart.reportAtKey(
          [key],
          'CONFLICT',
          `\`${key}\` decides when to call, and this profile only subscribes`,
          'remove it, or start from `profile: subscriber`',
        );
    }
    for (const key of ['idle', 'abort', 'malformed'] as const) {
      if (source.misbehave?.[key] !== undefined)
        profilePart.reportAtKey(
          ['misbehave', key],
          'CONFLICT',
          `\`misbehave.${key}\` is about calls, and this profile only subscribes`,
          'remove it',
        );
    }
    return { model: 'none' };
  }
  if (idleMs !== undefined) {
    const conflicting = (['arrivals', 'thinkTime'] as const).find((key) => source[key] !== undefined);
    if (conflicting === undefined) return { model: 'closed', thinkTime: { kind: 'fixed', ms: scaleMs(idleMs) } };
    profilePart.reportAtKey(
      [conflicting],
      'CONFLICT',
      `\`${conflicting}\` and \`misbehave.idle\` exclude each other`,
      '`idle` itself decides when a client calls: once after each pause',
    );
    return undefined;
  }
  if (arrivals !== undefined && thinkTime !== undefined) {
    profilePart.reportAtKey(
      ['thinkTime'],
      'CONFLICT',
      '`arrivals` and `thinkTime` exclude each other',
      'arrivals: calls at fixed times (open loop); thinkTime: pauses between calls (closed loop)',
    );
    return undefined;
  }
  if (arrivals !== undefined) return { model: 'open', ratePerSecond: arrivals.rate, spacing: arrivals.spacing };
  if (thinkTime === undefined) {
    profilePart.reportAtValue(
      [],
      'MISSING_KEY',
      'the profile does not say when to call',
      'give arrivals: { rate: 10/s } (open loop) or thinkTime: 100ms (closed loop)',
    );
    return undefined;
  }
  const resolved = resolveThinkTime(thinkTime, profilePart);
  return resolved === undefined ? undefined : { model: 'closed', thinkTime: resolved };
}

function resolveThinkTime(
  source: NonNullable<ProfileSource['thinkTime']>,
  profilePart: SourcePart,
): ThinkTimePlan | undefined {
  if (typeof source === 'number') return source === 0 ? { kind: 'none' } : { kind: 'fixed', ms: source };
  const { min, max, mean, distribution } = source;
  if (min !== undefined && max !== undefined && mean === undefined && distribution === undefined) {
    if (min <= max) return { kind: 'uniform', minMs: min, maxMs: max };
    profilePart.reportAtValue(['thinkTime', 'max'], 'CONFLICT', '`max` is less than `min`');
    return undefined;
  }
  if (mean !== undefined && distribution !== undefined && min === undefined && max === undefined)
    return { kind: 'exponential', meanMs: mean };
  profilePart.reportAtValue(
    ['thinkTime'],
    'CONFLICT',
    'a think time is one duration, `min` with `max`, or `mean` with `distribution`',
    '{ min: 50ms, max: 150ms } or { mean: 100ms, distribution: exponential }',
  );
  return undefined;
}

type Window = Pick<ProfilePlan, 'maxInFlight' | 'connections' | 'pipeline'>;

/** Connections of an open-loop client by default: as many as a browser opens to one host, and two more. */
const OPEN_LOOP_CONNECTIONS = 8;

/** How much one client has on the wire. Warns of a window that connections and pipeline cannot fill. */
function resolveWindow(written: ProfileSource, profilePart: SourcePart, warn: (warning: string) => void): Window {
  const { transport } = written;
  const source = factsOf(transport).oneConnection ? resolveOneConnection(written, profilePart, transport) : written;
  const { maxInFlight, pipeline } = source;
  const open = source.arrivals !== undefined;
  const connections = source.connections ?? defaultConnections(source);
  const fits = connections * pipeline;
  const wanted = maxInFlight ?? (open ? fits : 1);
  const session = typeof source.session === 'string' ? source.session : source.session.mode;
  if (!factsOf(transport).pipelines && written.pipeline > 1) {
    profilePart.reportAtKey(
      ['pipeline'],
      'CONFLICT',
      `over ${transport} a connection carries one request at a time, because its client has no pipelining`,
      'remove `pipeline`; use connections for more requests at once',
    );
  }
  if (session === 'per-request' && written.pipeline > 1) {
    profilePart.reportAtKey(
      ['pipeline'],
      'CONFLICT',
      'with session per-request a connection carries one operation, so there is nothing to pipeline',
      'remove `pipeline`; use maxInFlight for more sessions at once',
    );
  }
  if (wanted > fits) {
    warn(
      `profile ${source.name}: maxInFlight ${wanted} cannot be reached with ${connections} connection(s) x pipeline ` +
        `${pipeline}; at most ${fits} are on the wire at once`,
    );
  }
  return { maxInFlight: Math.min(wanted, fits), connections, pipeline };
}

/** For a transport with one connection per session: its pipeline is as deep as the window by default. */
function resolveOneConnection(source: ProfileSource, profilePart: SourcePart, transport: TransportName): ProfileSource {
  if (source.connections !== undefined && source.connections > 1) {
    profilePart.reportAtKey(
      ['connections'],
      'CONFLICT',
      `a session over ${transport} is one connection: ${source.connections} of them would be as many sessions`,
      'remove `connections`; use maxInFlight for more requests at once, or clients for more connections',
    );
  }
  const byDefault = source.maxInFlight ?? (source.arrivals === undefined ? 1 : OPEN_LOOP_CONNECTIONS);
  return { ...source, connections: 1, pipeline: profilePart.has(['pipeline']) ? source.pipeline : byDefault };
}

function defaultConnections({ maxInFlight, pipeline, arrivals }: ProfileSource): number {
  if (maxInFlight !== undefined) return Math.ceil(maxInFlight / pipeline);
  return arrivals === undefined ? 1 : OPEN_LOOP_CONNECTIONS;
}
