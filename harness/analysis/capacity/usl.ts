/**
 * The Universal Scalability Law (N. J. Gunther, "Guerrilla Capacity Planning", 2007, chapter 4-6):
 * X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1)), throughput X at concurrency N, where sigma stands for
 * contention (work that cannot be done in parallel) and kappa for coherency (what each must exchange with each other).
 */
import { mulberry32, normalCdf, studentQuantile } from '../statistics/distributions.js';
import { mean, sum } from '../statistics/numbers.js';

export interface LoadPoint {
  /** Operations in the target at once: throughput times mean service time (Little's law). */
  readonly concurrency: number;
  readonly throughputPerSecond: number;
}

interface UslFit {
  /** Throughput of one at a time. */
  readonly lambda: number;
  readonly sigma: number;
  readonly kappa: number;
  /** Share of the spread of throughput that the curve explains. */
  readonly rSquared: number;
  /** Where throughput is highest; undefined when the curve rises without end (kappa 0). */
  readonly peak: { readonly concurrency: number; readonly throughputPerSecond: number } | undefined;
}

/** A curve of three parameters fits any fewer points. */
const FEWEST_POINTS = 5;
const RESAMPLES = 1000;

/**
 * Least squares on N / X(N), which is linear in the three parameters. A negative parameter has no meaning; then the
 * best curve without it is taken.
 */
export function fitUsl(points: readonly LoadPoint[]): UslFit | undefined {
  const usable = points.filter(({ concurrency, throughputPerSecond }) => concurrency > 0 && throughputPerSecond > 0);
  if (new Set(usable.map(({ concurrency }) => concurrency)).size < FEWEST_POINTS) return undefined;
  const candidates = [[0, 1, 2], [0, 2], [0, 1], [0]].flatMap((columns) => fitColumns(usable, columns) ?? []);
  return candidates.reduce<UslFit | undefined>(
    (best, fit) => (best === undefined || fit.rSquared > best.rSquared ? fit : best),
    undefined,
  );
}

export function predict(
  { lambda, sigma, kappa }: Pick<UslFit, 'lambda' | 'sigma' | 'kappa'>,
  concurrency: number,
): number {
  return (lambda * concurrency) / (1 + sigma * (concurrency - 1) + kappa * concurrency * (concurrency - 1));
}

/** Three of them only give the parameters; the others say how far the points lie off a curve. */
const FEWEST_FOR_INTERVAL = 8;
const PARAMETERS = 3;

/**
 * The 95 % interval of the throughput at the peak: the curve is fitted again to points drawn with replacement. The
 * percentiles lie further out than 2.5 and 97.5, because a curve of three parameters runs closer to few points than to
 * the truth (expanded percentiles, Hesterberg 2015). Undefined with fewer than eight points, and when fewer than nine
 * in ten draws have a peak: then the points do not say where it is.
 */
export function peakInterval(
  points: readonly LoadPoint[],
  seed: number,
): { readonly low: number; readonly high: number } | undefined {
  const n = points.length;
  if (n < FEWEST_FOR_INTERVAL) return undefined;
  const random = mulberry32(seed);
  const peaks = Array.from(
    { length: RESAMPLES },
    () =>
      fitUsl(points.map(() => points[Math.floor(random() * n)] ?? { concurrency: 0, throughputPerSecond: 0 }))?.peak
        ?.throughputPerSecond,
  )
    .filter((peak): peak is number => peak !== undefined)
    .sort((a, b) => a - b);
  if (peaks.length < 0.9 * RESAMPLES) return undefined;
  const freedom = n - PARAMETERS;
  const tail = normalCdf(-Math.sqrt(n / freedom) * studentQuantile(0.975, freedom));
  const at = (share: number): number => peaks[Math.round(share * (peaks.length - 1))] ?? 0;
  return { low: at(tail), high: at(1 - tail) };
}

/** @param columns which of [1, N - 1, N (N - 1)] take part. @returns undefined when a parameter comes out negative */
function fitColumns(points: readonly LoadPoint[], columns: readonly number[]): UslFit | undefined {
  const rows = points.map(({ concurrency: n, throughputPerSecond }) => {
    const all = [1, n - 1, n * (n - 1)];
    // The error of N/X is that of X times N/X^2; the weight undoes that, so that every throughput counts the same.
    const weight = throughputPerSecond ** 2 / n;
    return { x: columns.map((column) => (all[column] ?? 0) * weight), y: (n / throughputPerSecond) * weight };
  });
  const solved = solve(
    columns.map((_, row) =>
      columns.map((_column, column) => sum(rows.map(({ x }) => (x[row] ?? 0) * (x[column] ?? 0)))),
    ),
    columns.map((_, row) => sum(rows.map(({ x, y }) => (x[row] ?? 0) * y))),
  );
  if (solved === undefined || solved.some((value) => !(value >= 0))) return undefined;
  const [a, b, c] = [0, 1, 2].map((column) => solved[columns.indexOf(column)] ?? 0) as [number, number, number];
  if (!(a > 0)) return undefined;
  const curve = { lambda: 1 / a, sigma: b / a, kappa: c / a };
  return { ...curve, rSquared: explained(points, curve), peak: peakOf(curve) };
}

function peakOf(curve: Pick<UslFit, 'lambda' | 'sigma' | 'kappa'>): UslFit['peak'] {
  if (curve.kappa === 0) return undefined;
  const concurrency = Math.max(1, Math.sqrt(Math.max(0, 1 - curve.sigma) / curve.kappa));
  return { concurrency, throughputPerSecond: predict(curve, concurrency) };
}

function explained(points: readonly LoadPoint[], curve: Pick<UslFit, 'lambda' | 'sigma' | 'kappa'>): number {
  const middle = mean(points.map(({ throughputPerSecond }) => throughputPerSecond));
  const total = sum(points.map(({ throughputPerSecond }) => (throughputPerSecond - middle) ** 2));
  const left = sum(
    points.map(({ concurrency, throughputPerSecond }) => (throughputPerSecond - predict(curve, concurrency)) ** 2),
  );
  return total === 0 ? 0 : 1 - left / total;
}

/** Gaussian elimination with partial pivoting. @returns undefined for a singular matrix */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): readonly number[] | undefined {
  const rows = matrix.map((row, index) => [...row, right[index] ?? 0]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    const pivot = rows
      .slice(column)
      .reduce(
        (best, row, index) =>
          Math.abs(row[column] ?? 0) > Math.abs(rows[best]?.[column] ?? 0) ? column + index : best,
        column,
      );
    const [upper, lower] = [rows[column], rows[pivot]];
    if (
      upper === undefined ||
      lower === undefined ||
      Math.abs(lower[column] ?? 0) < 1e-12 * Math.max(1, ...lower.map(Math.abs))
    )
      return undefined;
    rows[column] = lower;
    rows[pivot] = upper;
    for (const [index, row] of rows.entries()) {
      if (index === column) continue;
      const factor = (row[column] ?? 0) / (lower[column] ?? 1);
      rows[index] = row.map((value, at) => value - factor * (lower[at] ?? 0));
    }
  }
  return rows.map((row, index) => (row[size] ?? 0) / (row[index] ?? 1));
}
