import { type Draw, draw32 } from './draw.js';

/**
 * Index of the operation this draw performs: pure, so the mix is the same whatever the timing.
 * @param weights at least one, none negative, not all zero
 */
export function chooseOperation(weights: readonly number[], draw: Draw): number {
  if (weights.length === 1) return 0;
  let total = 0;
  for (const weight of weights) total += weight;
  let rest = (draw32(draw, 0) / 4_294_967_296) * total;
  for (let index = 0; index < weights.length; index++) {
    rest -= weights[index] as number;
    if (rest < 0) return index;
  }
  // Rounding may leave a rest of 0 at the very end of the range; it belongs to the last operation that has a weight.
  return weights.findLastIndex((weight) => weight > 0);
}
