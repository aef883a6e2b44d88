import type { SeenCall } from '../servers/test-server.js';

/** Pure questions about what a test server saw. */
export function ofTool(calls: readonly SeenCall[], tool: string): readonly SeenCall[] {
  return calls.filter(({ params }) => params.name === tool);
}

/** Milliseconds between the end of one call and the next call. */
export function pauses(calls: readonly SeenCall[]): readonly number[] {
  return calls.slice(1).map(({ atMs }, index) => atMs - (calls[index]?.endedAtMs ?? atMs));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Standard deviation as a share of the mean: near 0 for even spacing, 1 for a Poisson process. */
export function variation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2))) / middle;
}

/** Most calls at once that had arrived and were not answered. */
export function mostAtOnce(calls: readonly SeenCall[]): number {
  const moments = calls.flatMap(({ atMs, endedAtMs }) => [
    { at: atMs, step: 1 },
    { at: endedAtMs ?? Infinity, step: -1 },
  ]);
  moments.sort((a, b) => a.at - b.at || a.step - b.step);
  let open = 0;
  let most = 0;
  for (const { step } of moments) {
    open += step;
    most = Math.max(most, open);
  }
  return most;
}

export function distinct<Value>(values: readonly Value[]): number {
  return new Set(values).size;
}
