import type { AbortKind, MalformedKind, MisbehavePlan } from '../../scenarios/schema/misbehave.js';
import { STREAM, uniform } from '../load/uniform.js';
import type { Draw } from '../mcp/draw.js';

/** What one operation is made into. */
export type Deed = `abort/${AbortKind}` | `malformed/${MalformedKind}`;

/**
 * Where a connection is left once its bytes are sent, in words; undefined for deeds that wait for what the server says.
 */
export function leftWhenSent(deed: Deed): string | undefined {
  switch (deed) {
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

export function malformedKind<Kind extends MalformedKind>(deed: `malformed/${Kind}`): Kind {
  return deed.slice('malformed/'.length) as Kind;
}

/**
 * What becomes of this operation of a misbehaving client; undefined: nothing, it is done as it should be. A pure
 * function of seed, slot and sequence, so client and channel agree without telling each other, and a seed repeats it.
 */
export function drawDeed(plan: MisbehavePlan, draw: Draw): Deed | undefined {
  const { abort, malformed } = plan;
  if (abort === undefined && malformed === undefined) return undefined;
  const chance = uniform(draw.seed, draw.slot, draw.sequence, STREAM.deed);
  const aborted = abort?.share ?? 0;
  if (abort !== undefined && chance < aborted) return `abort/${oneOf(abort.kinds, draw)}`;
  return malformed !== undefined && chance < aborted + malformed.share
    ? `malformed/${oneOf(malformed.kinds, draw)}`
    : undefined;
}

function oneOf<Kind>(kinds: readonly Kind[], { seed, slot, sequence }: Draw): Kind {
  return kinds[Math.floor(uniform(seed, slot, sequence, STREAM.deedVariant) * kinds.length)] as Kind;
}
