import { mean } from '../statistics/numbers.js';

const FEWEST_POINTS = 4;
/** A curve bent less than this is a line with noise. */
const LEAST_DEPTH = 0.2;

/**
 * Where a rising curve turns steep: the point farthest below the straight line between its ends, both axes scaled to
 * [0, 1] (V. Satopaa et al., "Finding a Kneedle in a Haystack", 2011, for a convex rising curve).
 * @param points by x; several at one x are averaged
 * @returns the x of the knee; undefined when the curve has fewer than four points or hardly bends
 */
export function kneeOf(points: readonly { readonly x: number; readonly y: number }[]): number | undefined {
  const byX = new Map<number, number[]>();
  for (const { x, y } of points) byX.set(x, [...(byX.get(x) ?? []), y]);
  const curve = [...byX].map(([x, ys]) => ({ x, y: mean(ys) })).sort((a, b) => a.x - b.x);
  const [first, last] = [curve[0], curve.at(-1)];
  if (first === undefined || last === undefined || curve.length < FEWEST_POINTS || last.y <= first.y) return undefined;
  let knee: { readonly x: number; readonly depth: number } | undefined;
  for (const { x, y } of curve) {
    const depth = (x - first.x) / (last.x - first.x) - (y - first.y) / (last.y - first.y);
    if (knee === undefined || depth > knee.depth) knee = { x, depth };
  }
  return knee !== undefined && knee.depth > LEAST_DEPTH ? knee.x : undefined;
}
