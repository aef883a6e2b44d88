/** A straight line through points in order of time, by least squares, with an interval of its slope. */
import { mean, sum } from './numbers.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface LineFit {
  readonly slope: number;
  /** 95 % interval of the slope. */
  readonly low: number;
  readonly high: number;
  /** Share of the variation of y that the line explains, 0 to 1. */
  readonly r2: number;
}

/** Two-sided 95 % of the normal distribution. */
const Z = 1.959964;
/** With fewer, the expansion of Student's t would be used outside the degrees of freedom that it holds for. */
const LEAST_EFFECTIVE = 4;

/**
 * Neighbouring samples of memory resemble each other and carry less information than as many independent ones, so the
 * interval is widened by the residuals' correlation with their predecessors (the effective sample size of an AR(1)
 * process).
 * @returns undefined when there are fewer than four points, or x does not vary
 */
export function fitLine(points: readonly Point[]): LineFit | undefined {
  const n = points.length;
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  const sxx = sum(points.map(({ x }) => (x - meanX) ** 2));
  if (n < 4 || sxx === 0) return undefined;
  const slope = sum(points.map(({ x, y }) => (x - meanX) * (y - meanY))) / sxx;
  const residuals = points.map(({ x, y }) => y - meanY - slope * (x - meanX));
  const rss = sum(residuals.map((residual) => residual ** 2));
  const syy = sum(points.map(({ y }) => (y - meanY) ** 2));
  const correlation =
    rss === 0
      ? 0
      : Math.min(
          0.99,
          Math.max(0, sum(residuals.slice(1).map((residual, at) => residual * (residuals[at] ?? 0))) / rss),
        );
  const effective = Math.max(LEAST_EFFECTIVE, (n * (1 - correlation)) / (1 + correlation));
  const error = Math.sqrt(rss / (n - 2) / sxx) * Math.sqrt(n / effective) * studentT(effective - 2);
  return { slope, low: slope - error, high: slope + error, r2: syy === 0 ? 0 : 1 - rss / syy };
}

/** Two-sided 95 % of Student's t, by its expansion about the normal (Abramowitz and Stegun, 26.7.5). */
function studentT(freedom: number): number {
  const g1 = (Z ** 3 + Z) / 4;
  const g2 = (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / 96;
  const g3 = (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / 384;
  return Z + g1 / freedom + g2 / freedom ** 2 + g3 / freedom ** 3;
}
