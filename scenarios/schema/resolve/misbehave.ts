/** `misbehave` of a profile, checked against its transport and its other keys. */
import type { MisbehaveSource, ProfileSource } from '../keys/profile-schema.js';
import type { AbortPlan, MalformedPlan, MisbehavePlan, ReconnectPlan } from '../misbehave.js';
import type { SourcePart } from '../source-part.js';
import { factsOf, type MisbehaviourSupport, type TransportName } from '../transports.js';

/** @param scaleMs of `--time-scale`, for what shapes the run in time: `idle` and `reconnect.every` */
export function resolveMisbehave(
  source: ProfileSource,
  profilePart: SourcePart,
  scaleMs: (ms: number) => number,
): MisbehavePlan {
  const written = source.misbehave ?? {};
  const { misbehaviour } = factsOf(source.transport);
  checkSupport(source.transport, misbehaviour, written, profilePart);
  checkShares(written, profilePart);
  checkIdle(source, written, profilePart);
  checkReconnect(source, written, profilePart);
  const abort = abortPlan(written.abort, misbehaviour);
  const malformed = malformedPlan(written.malformed, misbehaviour);
  const reconnect = reconnectPlan(written.reconnect, misbehaviour, scaleMs);
  const { readRate, writeRate, idle } = written;
  return {
    ...(readRate === undefined ? {} : { readBytesPerSecond: readRate }),
    ...(writeRate === undefined ? {} : { writeBytesPerSecond: writeRate }),
    ...(abort === undefined || abort.share === 0 ? {} : { abort }),
    ...(malformed === undefined || malformed.share === 0 ? {} : { malformed }),
    ...(idle === undefined ? {} : { idleMs: scaleMs(idle) }),
    ...(reconnect === undefined ? {} : { reconnect }),
  };
}

/** For `malformed: 1%`; the schema has the same default for the map. */
const DEFAULT_OVERSIZE_BYTES = 8 * 1024 * 1024;

function abortPlan(abort: MisbehaveSource['abort'], { aborts }: MisbehaviourSupport): AbortPlan | undefined {
  if (abort === undefined) return undefined;
  if (typeof abort === 'number') return { share: abort, kinds: aborts, how: 'close' };
  return { share: abort.share, kinds: [...new Set(abort.kinds ?? aborts)], how: abort.how };
}

function malformedPlan(
  malformed: MisbehaveSource['malformed'],
  { malformed: supported }: MisbehaviourSupport,
): MalformedPlan | undefined {
  if (malformed === undefined) return undefined;
  if (typeof malformed === 'number')
    return { share: malformed, kinds: supported, oversizeBytes: DEFAULT_OVERSIZE_BYTES };
  const kinds = [...new Set(malformed.kinds ?? supported)];
  return { share: malformed.share, kinds, oversizeBytes: malformed.oversize };
}

function reconnectPlan(
  reconnect: MisbehaveSource['reconnect'],
  { keepsSession }: MisbehaviourSupport,
  scaleMs: (ms: number) => number,
): ReconnectPlan | undefined {
  if (reconnect === undefined) return undefined;
  return {
    everyMs: scaleMs(reconnect.every),
    together: reconnect.together,
    session: reconnect.session ?? (keepsSession ? 'keep' : 'new'),
  };
}

function checkSupport(
  transport: TransportName,
  misbehaviour: MisbehaviourSupport,
  written: MisbehaveSource,
  profilePart: SourcePart,
): void {
  for (const [key, reason] of Object.entries(misbehaviour.unsupported ?? {})) {
    if (key in written)
      profilePart.reportAtKey(
        ['misbehave', key],
        'CONFLICT',
        `\`misbehave.${key}\` does not go with transport ${transport}: ${reason}`,
        'remove it, or choose another transport',
      );
  }
  const checkKinds = (key: 'abort' | 'malformed', kinds: readonly string[], supported: readonly string[]): void => {
    if (supported.length === 0) return;
    for (const kind of kinds.filter((one) => !supported.includes(one)))
      profilePart.reportAtValue(
        ['misbehave', key, 'kinds'],
        'CONFLICT',
        `transport ${transport} has no ${kind}`,
        `it has: ${supported.join(', ')}`,
      );
  };
  if (typeof written.abort === 'object') checkKinds('abort', written.abort.kinds ?? [], misbehaviour.aborts);
  if (typeof written.malformed === 'object')
    checkKinds('malformed', written.malformed.kinds ?? [], misbehaviour.malformed);
  if (
    written.reconnect?.session === 'keep' &&
    !misbehaviour.keepsSession &&
    misbehaviour.unsupported?.reconnect === undefined
  ) {
    profilePart.reportAtValue(
      ['misbehave', 'reconnect', 'session'],
      'CONFLICT',
      `over ${transport} a session ends with its connection, so it cannot be kept`,
      'use session: new',
    );
  }
}

function shareOf(written: MisbehaveSource['abort' | 'malformed']): number {
  return typeof written === 'object' ? written.share : (written ?? 0);
}

function checkShares({ abort, malformed }: MisbehaveSource, profilePart: SourcePart): void {
  if (shareOf(abort) + shareOf(malformed) <= 1) return;
  profilePart.reportAtKey(
    ['misbehave', shareOf(abort) > 0 ? 'abort' : 'malformed'],
    'CONFLICT',
    '`abort` and `malformed` together are more than all operations',
    'their shares add up to 100% at most',
  );
}

function checkIdle(source: ProfileSource, written: MisbehaveSource, profilePart: SourcePart): void {
  if (written.idle === undefined) return;
  const mode = typeof source.session === 'string' ? source.session : source.session.mode;
  if (mode !== 'reuse')
    profilePart.reportAtKey(
      ['misbehave', 'idle'],
      'CONFLICT',
      `an idle client keeps its session, which it cannot with session: ${mode}`,
      'use session: reuse',
    );
  if ((source.maxInFlight ?? 1) > 1)
    profilePart.reportAtKey(
      ['maxInFlight'],
      'CONFLICT',
      'an idle client has at most one operation on the wire',
      'remove `maxInFlight`',
    );
  for (const key of ['abort', 'malformed'] as const) {
    if (written[key] !== undefined)
      profilePart.reportAtKey(
        ['misbehave', key],
        'CONFLICT',
        `\`idle\` and \`${key}\` exclude each other: an idle client sends nothing that could be broken`,
        'give each a workload of its own',
      );
  }
}

function checkReconnect({ session }: ProfileSource, { reconnect }: MisbehaveSource, profilePart: SourcePart): void {
  const mode = typeof session === 'string' ? session : session.mode;
  if (reconnect === undefined || (mode !== 'pool' && mode !== 'per-request')) return;
  const reason =
    mode === 'pool'
      ? 'the clients of a pool share their connections'
      : 'between two operations there is no connection to lose';
  profilePart.reportAtKey(
    ['misbehave', 'reconnect'],
    'CONFLICT',
    `\`reconnect\` does not go with session: ${mode}, because ${reason}`,
    'use session: reuse or churn',
  );
}
