/** What a profile does wrong on purpose, checked against what else it says. */
import type { MisbehaveSource, ProfileSource } from '../keys/profile-schema.js';
import type { AbortPlan, MalformedPlan, MisbehavePlan, ReconnectPlan } from '../misbehave.js';
import type { SourcePart } from '../source-part.js';
import { factsOf, type MisbehaviourSupport } from '../transports.js';

/** @param scaleMs of `--time-scale`, for what shapes the run in time: `idle` and `reconnect.every` */
export function resolveMisbehave(
  source: ProfileSource,
  profile: SourcePart,
  scaleMs: (ms: number) => number,
): MisbehavePlan {
  const written = source.misbehave ?? {};
  const { misbehaviour } = factsOf(source.transport);
  checkMisbehaviourSupport(source.transport, misbehaviour, written, profile);
  checkShares(written, profile);
  checkIdle(source, written, profile);
  checkReconnect(source, written, profile);
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

const DEFAULT_OVERSIZE_BYTES = 8 * 1024 * 1024;

function abortPlan(abort: MisbehaveSource['abort'], { aborts }: MisbehaviourSupport): AbortPlan | undefined {
  if (abort === undefined) return undefined;
  if (typeof abort === 'number') return { share: abort, kinds: aborts, how: 'close' };
  return { share: abort.share, kinds: [...new Set(abort.kinds ?? aborts)], how: abort.how };
}

function malformedPlan(
  malformed: MisbehaveSource['malformed'],
  { malformed: all }: MisbehaviourSupport,
): MalformedPlan | undefined {
  if (malformed === undefined) return undefined;
  if (typeof malformed === 'number') return { share: malformed, kinds: all, oversizeBytes: DEFAULT_OVERSIZE_BYTES };
  return { share: malformed.share, kinds: [...new Set(malformed.kinds ?? all)], oversizeBytes: malformed.oversize };
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

/** What this transport has not is refused, with the reason. */
function checkMisbehaviourSupport(
  transport: string,
  misbehaviour: MisbehaviourSupport,
  written: MisbehaveSource,
  profile: SourcePart,
): void {
  for (const [key, why] of Object.entries(misbehaviour.unsupported ?? {})) {
    if (key in written)
      profile.reportAtKey(
        ['misbehave', key],
        'CONFLICT',
        `\`misbehave.${key}\` does not go with transport ${transport}: ${why}`,
        'take it out, or choose another transport',
      );
  }
  const check = (key: 'abort' | 'malformed', kinds: readonly string[], able: readonly string[]): void => {
    for (const kind of able.length === 0 ? [] : kinds) {
      if (!able.includes(kind))
        profile.reportAtValue(
          ['misbehave', key, 'kinds'],
          'CONFLICT',
          `over ${transport} there is no ${kind}`,
          `it has: ${able.join(', ')}`,
        );
    }
  };
  if (typeof written.abort === 'object') check('abort', written.abort.kinds ?? [], misbehaviour.aborts);
  if (typeof written.malformed === 'object') check('malformed', written.malformed.kinds ?? [], misbehaviour.malformed);
  if (
    written.reconnect?.session === 'keep' &&
    !misbehaviour.keepsSession &&
    misbehaviour.unsupported?.reconnect === undefined
  ) {
    profile.reportAtValue(
      ['misbehave', 'reconnect', 'session'],
      'CONFLICT',
      `over ${transport} a session ends with its connection: it cannot be kept`,
      'use session: new',
    );
  }
}

function shareOf(written: MisbehaveSource['abort' | 'malformed']): number {
  return typeof written === 'object' ? written.share : (written ?? 0);
}

function checkShares({ abort, malformed }: MisbehaveSource, profile: SourcePart): void {
  if (shareOf(abort) + shareOf(malformed) <= 1) return;
  const key = shareOf(abort) > 0 ? 'abort' : 'malformed';
  profile.reportAtKey(
    ['misbehave', key],
    'CONFLICT',
    '`abort` and `malformed` are more than all operations together',
    'their shares add up to 100% at most',
  );
}

function checkIdle(source: ProfileSource, written: MisbehaveSource, profile: SourcePart): void {
  if (written.idle === undefined) return;
  const mode = typeof source.session === 'string' ? source.session : source.session.mode;
  if (mode !== 'reuse')
    profile.reportAtKey(
      ['misbehave', 'idle'],
      'CONFLICT',
      `an idle client keeps its session: with session ${mode} it cannot`,
      'use session: reuse',
    );
  if ((source.maxInFlight ?? 1) > 1)
    profile.reportAtKey(
      ['maxInFlight'],
      'CONFLICT',
      'an idle client has at most one operation on the wire',
      'take `maxInFlight` out',
    );
  for (const key of ['abort', 'malformed'] as const) {
    if (written[key] !== undefined)
      profile.reportAtKey(
        ['misbehave', key],
        'CONFLICT',
        `\`idle\` and \`${key}\` exclude each other: an idle client sends nothing that could be broken`,
        'give each a workload of its own',
      );
  }
}

function checkReconnect({ session }: ProfileSource, { reconnect }: MisbehaveSource, profile: SourcePart): void {
  const mode = typeof session === 'string' ? session : session.mode;
  if (reconnect === undefined || (mode !== 'pool' && mode !== 'per-request')) return;
  const why =
    mode === 'pool'
      ? 'the clients of a pool share their connections'
      : 'a session for each operation has no connection to lose in between';
  profile.reportAtKey(
    ['misbehave', 'reconnect'],
    'CONFLICT',
    `\`reconnect\` does not go with session ${mode}: ${why}`,
    'use session: reuse or churn',
  );
}
