import { type Clock, type Health, heartbeatAnswer, PROTOCOL } from '../protocol/messages.js';
import { clockOffset, epochNowMs, type RoundTrip } from './clock.js';
import { ControllerUnreachable } from './controller-http.js';
import type { Membership } from './membership.js';
import { pause } from './retry.js';

const CLOCK_ROUND_TRIPS = 8;
const CLOCK_REFRESH_MS = 30_000;
const TIMEOUT_MS = 2_000;
const DEFAULT_INTERVAL_MS = 1_000;

interface HeartbeatOptions {
  readonly membership: Membership;
  readonly health: () => Health;
  readonly onClock: (clock: Clock) => void;
}

/** Reports the worker's health to the controller every second, and measures how far the two clocks are apart. */
export class Heartbeats {
  private measuredAt = -Infinity;

  constructor(private readonly options: HeartbeatOptions) {}

  /** The worker has registered again, perhaps with a controller on another machine: measures the clock again. */
  reset(): void {
    this.measuredAt = -Infinity;
  }

  /** Runs until aborted. @throws RegistrationRefused */
  async run(signal: AbortSignal): Promise<void> {
    let clock: Clock | undefined;
    while (!signal.aborted) {
      const startedAt = performance.now();
      if (this.options.membership.identity !== undefined && startedAt - this.measuredAt > CLOCK_REFRESH_MS)
        clock = (await this.measureClock(signal)) ?? clock;
      const answered = await this.beat(signal, {
        health: this.options.health(),
        ...(clock === undefined ? {} : { clock }),
      });
      if (answered !== undefined) clock = undefined;
      const intervalMs = this.options.membership.identity?.heartbeatMs ?? DEFAULT_INTERVAL_MS;
      await pause(Math.max(0, intervalMs - (performance.now() - startedAt)), signal);
    }
  }

  /** Makes round trips in quick succession. @returns undefined when the controller does not answer */
  private async measureClock(signal: AbortSignal): Promise<Clock | undefined> {
    const roundTrips: RoundTrip[] = [];
    for (let trip = 0; trip < CLOCK_ROUND_TRIPS && !signal.aborted; trip++) {
      const roundTrip = await this.beat(signal, {});
      if (roundTrip === undefined) return undefined;
      roundTrips.push(roundTrip);
    }
    if (roundTrips.length === 0) return undefined;
    this.measuredAt = performance.now();
    const clock = clockOffset(roundTrips);
    this.options.onClock(clock);
    return clock;
  }

  /** Sends one heartbeat. @returns undefined when it was not answered */
  private async beat(
    signal: AbortSignal,
    content: { readonly health?: Health; readonly clock?: Clock },
  ): Promise<RoundTrip | undefined> {
    try {
      const sentAt = epochNowMs();
      const { status, body } = await this.options.membership.call(
        'heartbeat',
        JSON.stringify({ protocol: PROTOCOL, now: sentAt, ...content }),
        TIMEOUT_MS,
        signal,
      );
      const answeredAt = epochNowMs();
      const answer = heartbeatAnswer.safeParse(body);
      return status === 200 && answer.success ? { sentAt, answeredAt, theirs: answer.data.now } : undefined;
    } catch (error) {
      // The next heartbeat tries again. The lease limits how long that may go on.
      if (error instanceof ControllerUnreachable || signal.aborted) return undefined;
      throw error;
    }
  }
}
