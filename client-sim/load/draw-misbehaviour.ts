import type { AbortKind, MalformedKind, MisbehavePlan } from '../../scenarios/schema/misbehave.js';
import { type Draw, RANDOM_STREAM, uniform } from '../mcp/draw.js';

/** The kind of misbehaviour that replaces a proper operation. */
export type MisbehaviourKind = `abort/${AbortKind}` | `malformed/${MalformedKind}`;

/**
 * The misbehaviour of this operation; undefined: it is done properly. A pure function of seed, slot and sequence, so
 * client and channel agree without exchanging it, and a seed repeats it.
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
