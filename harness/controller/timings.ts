/** The controller's patience. Milliseconds; the defaults are the ones of design/worker-protocol.md. */
export interface Timings {
  readonly heartbeatMs: number;
  /** A worker is lost after this many heartbeats have not come. */
  readonly missedHeartbeats: number;
  /** A worker that cannot reach the controller for this long stops its load by itself. */
  readonly leaseMs: number;
  /** How long the expected workers may take to register. */
  readonly registerMs: number;
  readonly preflightMs: number;
  /** Between sending the assignments and the start of the load: orders must arrive, clients be built. */
  readonly startDelayMs: number;
  /** Between deciding a change (adjust, moved slots) and its moment, so that it reaches every worker before. */
  readonly noticeMs: number;
  /** After the plan's own drain: how long the last batches may take. */
  readonly lastBatchesMs: number;
  /** After an order to stop now: how long the last batches may take. */
  readonly stopNowMs: number;
  /** Live thresholds, stop rules, usage samples and the lease file. */
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

/** Silence after which a worker is lost: the third missed heartbeat, and half of one for the road. */
export function silenceLimitMs(timings: Timings): number {
  return timings.heartbeatMs * (timings.missedHeartbeats + 0.5);
}
