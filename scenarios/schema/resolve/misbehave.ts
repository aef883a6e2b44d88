/** What a profile does wrong on purpose, checked against what else it says. */
import type { MisbehaveSource } from '../keys/misbehave-schema.js';
import type { ProfileSource } from '../keys/profile-schema.js';
import { malformedKinds } from '../misbehave.js';
import type { MalformedPlan, MisbehavePlan } from '../misbehave.js';
import { factsOf, isTransport } from '../transports.js';
import type { Part } from './context.js';

/** What any transport can do, because it happens in the client and not on the wire. */
const everywhere: readonly string[] = ['idle'];

/** @param scaleMs of `--time-scale`, for what shapes the run in time: `idle` and `reconnect.every` */
export function resolveMisbehave(source: ProfileSource, profile: Part, scaleMs: (ms: number) => number): MisbehavePlan {
  const written = source.misbehave ?? {};
  checkTransport(source, written, profile);
  checkShares(written, profile);
  checkIdle(source, written, profile);
  checkReconnect(source, written, profile);
  const malformed = malformedPlan(written.malformed);
  const { readRate, writeRate, abort, idle, reconnect } = written;
  return {
    ...(readRate === undefined ? {} : { readBytesPerSecond: readRate }),
    ...(writeRate === undefined ? {} : { writeBytesPerSecond: writeRate }),
    ...(abort === undefined || abort === 0 ? {} : { abort }),
    ...(malformed === undefined || malformed.share === 0 ? {} : { malformed }),
    ...(idle === undefined ? {} : { idleMs: scaleMs(idle) }),
    ...(reconnect === undefined ? {} : { reconnect: { everyMs: scaleMs(reconnect.every), together: reconnect.together, session: reconnect.session } }),
  };
}

const DEFAULT_OVERSIZE_BYTES = 8 * 1024 * 1024;

function malformedPlan(malformed: MisbehaveSource['malformed']): MalformedPlan | undefined {
  if (malformed === undefined) return undefined;
  if (typeof malformed === 'number') return { share: malformed, kinds: malformedKinds, oversizeBytes: DEFAULT_OVERSIZE_BYTES };
  return { share: malformed.share, kinds: [...new Set(malformed.kinds ?? malformedKinds)], oversizeBytes: malformed.oversize };
}

function checkTransport({ transport }: ProfileSource, written: MisbehaveSource, profile: Part): void {
  if (!isTransport(transport)) return;
  const able = [...everywhere, ...(factsOf(transport).misbehave ?? [])];
  for (const key of Object.keys(written)) {
    if (able.includes(key)) continue;
    profile.wrongKey(['misbehave', key], 'NOT_BUILT', `\`misbehave.${key}\` is not built yet for transport ${transport}`, `it can: ${able.join(', ')}`);
  }
}

function checkShares({ abort = 0, malformed }: MisbehaveSource, profile: Part): void {
  const share = typeof malformed === 'number' ? malformed : (malformed?.share ?? 0);
  if (abort + share <= 1) return;
  const key = abort > 0 ? 'abort' : 'malformed';
  profile.wrongKey(['misbehave', key], 'CONFLICT', '`abort` and `malformed` are more than all operations together', 'their shares add up to 100% at most');
}

function checkIdle(source: ProfileSource, written: MisbehaveSource, profile: Part): void {
  if (written.idle === undefined) return;
  const mode = typeof source.session === 'string' ? source.session : source.session.mode;
  if (mode !== 'reuse') profile.wrongKey(['misbehave', 'idle'], 'CONFLICT', `an idle client keeps its session: with session ${mode} it cannot`, 'use session: reuse');
  if ((source.maxInFlight ?? 1) > 1) profile.wrongKey(['maxInFlight'], 'CONFLICT', 'an idle client has at most one operation on the wire', 'take `maxInFlight` out');
  for (const key of ['abort', 'malformed'] as const) {
    if (written[key] !== undefined) profile.wrongKey(['misbehave', key], 'CONFLICT', `\`idle\` and \`${key}\` exclude each other: an idle client sends nothing that could be broken`, 'give each a workload of its own');
  }
}

function checkReconnect({ session }: ProfileSource, { reconnect }: MisbehaveSource, profile: Part): void {
  const mode = typeof session === 'string' ? session : session.mode;
  if (reconnect === undefined || (mode !== 'pool' && mode !== 'per-request')) return;
  const why = mode === 'pool' ? 'the clients of a pool share their connections' : 'a session for each operation has no connection to lose in between';
  profile.wrongKey(['misbehave', 'reconnect'], 'CONFLICT', `\`reconnect\` does not go with session ${mode}: ${why}`, 'use session: reuse or churn');
}
