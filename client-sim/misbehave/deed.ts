import type { MalformedKind, MisbehavePlan } from '../../scenarios/schema/misbehave.js';
import { STREAM, uniform } from '../load/uniform.js';
import type { Draw } from '../mcp/draw.js';

/** What one operation is made into. */
export type Deed = 'abort/after-request' | 'abort/mid-answer' | `malformed/${MalformedKind}`;

/**
 * What becomes of this operation of a misbehaving client; undefined: nothing, it is done as it should be. A pure function
 * of seed, slot and sequence, so client and channel agree without telling each other, and a seed repeats it.
 */
export function drawDeed(plan: MisbehavePlan, draw: Draw): Deed | undefined {
  const { abort = 0, malformed } = plan;
  if (abort === 0 && malformed === undefined) return undefined;
  const chance = uniform(draw.seed, draw.slot, draw.sequence, STREAM.deed);
  if (chance < abort) return variant(draw) < 0.5 ? 'abort/after-request' : 'abort/mid-answer';
  if (malformed === undefined || chance >= abort + malformed.share) return undefined;
  const kind = malformed.kinds[Math.floor(variant(draw) * malformed.kinds.length)];
  return kind === undefined ? undefined : `malformed/${kind}`;
}

function variant({ seed, slot, sequence }: Draw): number {
  return uniform(seed, slot, sequence, STREAM.deedVariant);
}
