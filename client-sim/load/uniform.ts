import { draw32 } from '../mcp/draw.js';

/** Independent sequences drawn from one seed; each use of chance has its own number, so that none shifts another. */
export const STREAM = { arrivals: 1, thinkTime: 2, backoff: 3, deed: 41, deedVariant: 42 } as const;

/** Far from the positions that the placeholders of a request use; see `draw32`. */
const FIRST_POSITION = 0x7000_0000;

/**
 * A number in the open interval (0, 1), a pure function of its arguments: arrival 7 of client 3 is the same on every
 * worker, in any order of asking. 32 bits of resolution, never 0, so `-Math.log` of it is finite.
 */
export function uniform(seed: number, slot: number, sequence: number, stream: number): number {
  return (draw32({ seed, slot, sequence }, FIRST_POSITION + stream) + 0.5) / 0x1_0000_0000;
}
