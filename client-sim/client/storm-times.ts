import type { ReconnectPlan } from '../../scenarios/schema/misbehave.js';

/**
 * When a client loses its connections: the same run times on every worker, so that clients of several lose theirs
 * together.
 */
export class StormTimes {
  nextMs: number;
  private readonly everyMs: number;

  /** @param place of the client within its profile, 0 to 1 @param fromMs run time; what lies before is over */
  constructor({ everyMs, together }: ReconnectPlan, place: number, fromMs: number) {
    this.everyMs = everyMs;
    const first = everyMs * (together ? 1 : 1 + place);
    this.nextMs = first + everyMs * Math.max(0, Math.ceil((fromMs - first) / everyMs));
  }

  /** One that comes late, because its thread was busy, is made once and not made up for. */
  isDue(nowMs: number): boolean {
    if (nowMs < this.nextMs) return false;
    this.nextMs += this.everyMs * (1 + Math.floor((nowMs - this.nextMs) / this.everyMs));
    return true;
  }
}
