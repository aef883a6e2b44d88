/**
 * Contestants in JavaScript run so long before they are measured: until then their compilers work, which wrk's did long
 * ago. On the one core they have, the compiler takes its time from the load: a client at 10,000/s by metronome had a
 * send lag p99 of 1.7 to 3 ms in its third second and 0.2 to 0.5 ms from the fourth on (measured, nothing else running).
 */
export const WARM_UP_SECONDS = 4;

/** Processor time of this process, all threads, from here on; start-up is not the load's. */
export class LoadTime {
  private readonly before = process.cpuUsage();

  /** Seconds since the beginning. */
  read(): { readonly cpuSeconds: number; readonly userSeconds: number } {
    const { user, system } = process.cpuUsage(this.before);
    return { cpuSeconds: (user + system) / 1e6, userSeconds: user / 1e6 };
  }
}
