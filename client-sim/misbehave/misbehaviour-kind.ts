import type { AbortKind, MalformedKind, MisbehavePlan } from '../../scenarios/schema/misbehave.js';
import { type Draw, RANDOM_STREAM, uniform } from '../mcp/draw.js';

/** What one operation is made into. */
export type MisbehaviourKind = `abort/${AbortKind}` | `malformed/${MalformedKind}`;

/**
 * Where a connection is left once its bytes are sent, in words; undefined for deeds that wait for what the server says.
 */
export function leftWhenSent(misbehaviourKind: MisbehaviourKind): string | undefined {
  switch (misbehaviourKind) {
    case 'abort/mid-handshake':
      return 'within its handshake';
    case 'abort/mid-request':
      return 'when half of it was sent';
    case 'abort/after-request':
      return 'when it was sent';
    default:
      return undefined;
  }
}

export function malformedKind<Kind extends MalformedKind>(misbehaviourKind: `malformed/${Kind}`): Kind {
  return misbehaviourKind.slice('malformed/'.length) as Kind;
}

/**
 * What becomes of this operation of a misbehaving client; undefined: nothing, it is done as it should be. A pure
 * function of seed, slot and sequence, so client and channel agree without telling each other, and a seed repeats it.
 */
export function drawMisbehaviour(plan: MisbehavePlan, draw: Draw): MisbehaviourKind | undefined {
  const { abort, malformed } = plan;
  if (abort === undefined && malformed === undefined) return undefined;
  const chance = uniform(draw.seed, draw.slot, draw.sequence, RANDOM_STREAM.misbehaviourKind);
  const aborted = abort?.share ?? 0;
  if (abort !== undefined && chance < aborted) return `abort/${oneOf(abort.kinds, draw)}`;
  return malformed !== undefined && chance < aborted + malformed.share
    ? `malformed/${oneOf(malformed.kinds, draw)}`
    : undefined;
}

function oneOf<Kind>(kinds: readonly Kind[], { seed, slot, sequence }: Draw): Kind {
  return kinds[Math.floor(uniform(seed, slot, sequence, RANDOM_STREAM.misbehaviourVariant) * kinds.length)] as Kind;
}
