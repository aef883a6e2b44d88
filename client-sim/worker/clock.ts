import type { Clock } from '../protocol/messages.js';

/** One request for the time: when it was sent and answered by our clock, and what the other clock showed. */
export interface RoundTrip {
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly theirs: number;
}

/** The other side gives whole milliseconds, cut off. */
const TRUNCATION_MS = 1;

/**
 * Offset to add to our clock to get theirs, as NTP computes it (RFC 5905, section 8): from the round trip that took the
 * least time. The error is at most half of that time.
 * @param roundTrips at least one
 */
export function clockOffset(roundTrips: readonly RoundTrip[]): Clock {
  const best = roundTrips.reduce((a, b) => (b.answeredAt - b.sentAt < a.answeredAt - a.sentAt ? b : a));
  const tookMs = best.answeredAt - best.sentAt;
  return {
    offsetMs: best.theirs + TRUNCATION_MS / 2 - (best.sentAt + tookMs / 2),
    errorMs: tookMs / 2 + TRUNCATION_MS / 2,
    roundTrips: roundTrips.length,
  };
}

/**
 * Epoch milliseconds with fractions, from a clock that does not jump when the machine's clock is set: what is compared
 * with the controller's clock must not move between the comparison and its use.
 */
export function epochNowMs(): number {
  return performance.timeOrigin + performance.now();
}
