/** How long the controller waits for what, in milliseconds. */
export interface Timings {
  readonly heartbeatMs: number;
  /** A worker is lost after this many missed heartbeats. */
  readonly missedHeartbeats: number;
  /** A worker that cannot reach the controller for this long stops its load. */
  readonly leaseMs: number;
  /** How long the expected workers may take to register. */
  readonly registerMs: number;
  readonly preflightMs: number;
  /** From sending the assignments to the start of the load: orders must arrive and clients be built. */
  readonly startDelayMs: number;
  /** From deciding a change (adjusted load, moved slots) to its effect: it must reach every worker before. */
  readonly noticeMs: number;
  /** How long the last batches may take after the drain of the plan. */
  readonly lastBatchesMs: number;
  /** How long the last batches may take after an order to stop now. */
  readonly stopNowMs: number;
  /** Interval of live thresholds, stop rules and usage samples. */
  readonly tickMs: number;
}

export const defaultTimings: Timings = {
  heartbeatMs: 1000,
  missedHeartbeats: 3,
  leaseMs: 10_000,
  registerMs: 30_000,
  preflightMs: 60_000,
  startDelayMs: 1500,
  noticeMs: 500,
  lastBatchesMs: 10_000,
  stopNowMs: 5000,
  tickMs: 1000,
};

/** A worker that is silent for longer is lost: the missed heartbeats, and half an interval for network delays. */
export function silenceLimitMs(timings: Timings): number {
  return timings.heartbeatMs * (timings.missedHeartbeats + 0.5);
}
