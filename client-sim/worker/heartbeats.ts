import { type Clock, type Health, heartbeatAnswer, PROTOCOL } from '../protocol/messages.js';
import { clockOffset, epochNowMs, type RoundTrip } from './clock.js';
import { ControllerUnreachable } from './controller-http.js';
import type { Membership } from './membership.js';
import { pause } from './retry.js';

const ROUND_TRIPS = 8;
const REFRESH_MS = 30_000;
const TIMEOUT_MS = 2_000;
const DEFAULT_INTERVAL_MS = 1_000;

interface HeartbeatOptions {
  readonly membership: Membership;
  readonly health: () => Health;
  readonly onClock: (clock: Clock) => void;
}

/** Says every second that this worker lives and how it does; measures on the way how far the two clocks are apart. */
export class Heartbeats {
  private measuredAt = -Infinity;

  constructor(private readonly options: HeartbeatOptions) {}

  /** Registered anew, perhaps with a controller on another machine: the clocks are compared again. */
  reset(): void {
    this.measuredAt = -Infinity;
  }

  /** Runs until aborted. @throws RegistrationRefused */
  async run(signal: AbortSignal): Promise<void> {
    let clock: Clock | undefined;
    while (!signal.aborted) {
      const startedAt = performance.now();
      if (this.options.membership.identity !== undefined && startedAt - this.measuredAt > REFRESH_MS)
        clock = (await this.measure(signal)) ?? clock;
      const heard = await this.beat(signal, {
        health: this.options.health(),
        ...(clock === undefined ? {} : { clock }),
      });
      if (heard !== undefined) clock = undefined;
      const intervalMs = this.options.membership.identity?.heartbeatMs ?? DEFAULT_INTERVAL_MS;
      await pause(Math.max(0, intervalMs - (performance.now() - startedAt)), signal);
    }
  }

  /** Round trips in quick succession; undefined when the controller is away. */
  private async measure(signal: AbortSignal): Promise<Clock | undefined> {
    const roundTrips: RoundTrip[] = [];
    for (let trip = 0; trip < ROUND_TRIPS && !signal.aborted; trip++) {
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
      // The next heartbeat tries again; how long that may go on is the lease's business.
      if (error instanceof ControllerUnreachable || signal.aborted) return undefined;
      throw error;
    }
  }
}
