/**
 * This process's idea of epoch milliseconds, with fractions and without the jumps of a clock that is being set: what is
 * compared with the controller's clock must not move between the comparison and its use.
 */
export function epochNowMs(): number {
  return performance.timeOrigin + performance.now();
}
