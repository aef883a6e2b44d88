import type { Stamp } from './stamp.js';

/**
 * Determines the values of one request. Everything random is a pure function of (seed, slot, sequence), so the same
 * seed gives the same operations whatever the timing.
 */
export interface Draw {
  readonly seed: number;
  /** Global slot number of the virtual client. */
  readonly slot: number;
  /** Number of the operation within its client, from 0. */
  readonly sequence: number;
  /** The stamp of a publication; absent in preflight and in samples. */
  readonly stamp?: Stamp | undefined;
}

const TWO_TO_32 = 4_294_967_296;

/**
 * Finaliser of MurmurHash3 (Appleby, public domain): every input bit flips each output bit with probability about 1/2.
 */
export function mix32(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/**
 * 32 uniform bits as an unsigned number, a pure function of its arguments. Each value of a request has its own
 * `position`: 0 is the choice of the operation, placeholders count from 1. There is no state, so a request can be drawn
 * again for a sample, by another thread, or after its slot has moved to another worker.
 */
export function draw32(draw: Draw, position: number): number {
  let hash = mix32(low(draw.seed) ^ 0x9e3779b9) ^ high(draw.seed);
  hash = mix32(hash ^ Math.imul(draw.slot + 1, 0x9e3779b1));
  hash = mix32(hash ^ Math.imul(low(draw.sequence), 0x85ebca77) ^ high(draw.sequence));
  return mix32(hash ^ Math.imul(position + 1, 0xc2b2ae3d)) >>> 0;
}

/**
 * Uniform integer in [0, bound); bound up to 2^53. Above 2^32 two draws are joined, else one product is exact enough
 * (bias below bound / 2^32).
 */
export function drawBelow(draw: Draw, position: number, bound: number): number {
  const first = draw32(draw, position);
  if (bound <= TWO_TO_32) return Math.floor((first / TWO_TO_32) * bound);
  // 0x40000000 keeps the second half of a wide draw away from the positions of other placeholders.
  const second = draw32(draw, position + 0x40000000);
  return Math.floor(((first * 2_097_152 + (second >>> 11)) / 9_007_199_254_740_992) * bound);
}

// `| 0` keeps the lower 32 bits; sequences and seeds may be larger than that.
function low(value: number): number {
  return value | 0;
}

function high(value: number): number {
  return value < TWO_TO_32 ? 0 : (value / TWO_TO_32) | 0;
}

/**
 * Index of the operation to perform; a pure function, so the mix is the same whatever the timing.
 * @param weights at least one, none negative, not all zero
 */
export function chooseOperation(weights: readonly number[], draw: Draw): number {
  if (weights.length === 1) return 0;
  let total = 0;
  for (const weight of weights) total += weight;
  let rest = (draw32(draw, 0) / TWO_TO_32) * total;
  for (let index = 0; index < weights.length; index++) {
    rest -= weights[index] as number;
    if (rest < 0) return index;
  }
  // Rounding may leave a rest of 0 at the end of the range, which belongs to the last operation that has a weight.
  return weights.findLastIndex((weight) => weight > 0);
}

/** Independent sequences from one seed: each use of randomness has its own number, so that none shifts another. */
export const RANDOM_STREAM = {
  arrivals: 1,
  thinkTime: 2,
  backoff: 3,
  misbehaviourKind: 41,
  misbehaviourVariant: 42,
} as const;

/** Far from the positions that the placeholders of a request use; see `draw32`. */
const FIRST_POSITION = 0x7000_0000;

/**
 * A number in the open interval (0, 1), a pure function of its arguments: arrival 7 of client 3 is the same on every
 * worker, in any order of calls. 32 bits of resolution, never 0, so `-Math.log` of it is finite.
 */
export function uniform(seed: number, slot: number, sequence: number, stream: number): number {
  return (draw32({ seed, slot, sequence }, FIRST_POSITION + stream) + 0.5) / 0x1_0000_0000;
}
