export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** NaN for no values. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** The largest of values that are never negative; 0 for none. */
export function peak(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
