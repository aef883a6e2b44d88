import type { Clock } from '../protocol/messages.js';

/** One question for the time: when it was asked and answered by our clock, and what the other clock said. */
export interface RoundTrip {
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly theirs: number;
}

/** The other side says whole milliseconds, cut off. */
const TRUNCATION_MS = 1;

/**
 * Offset to add to our clock to get theirs, as NTP does it (RFC 5905, section 8): from the round trip that took the
 * least time, which bounds the error by half of that time.
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
 * This process's idea of epoch milliseconds, with fractions and without the jumps of a clock that is being set: what is
 * compared with the controller's clock must not move between the comparison and its use.
 */
export function epochNowMs(): number {
  return performance.timeOrigin + performance.now();
}
