/**
 * Contestants in JavaScript run so long before they are measured: until then their compilers work, which wrk's did long
 * ago. On the one core they have, the compiler takes its time from the load: a client at 10,000/s by metronome was held
 * up, beyond what a tick takes, for 80 to 130 ms of its first second and of its second, 17 to 19 of the third and 2 to
 * 8 of the fourth (three runs, nothing else running).
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

/** What a contestant counts while it runs; begun anew when it is warm. */
export interface LoadTally {
  correct: number;
  failed: number;
}

export function newTally(): LoadTally {
  return { correct: 0, failed: 0 };
}

/**
 * Measures a load that runs by itself, once it is warm, for so many seconds; then prints one line of JSON and ends the
 * program.
 * @param more of the contestant's own, for that line
 */
export function measureLoad(seconds: number, tally: LoadTally, more: () => object = () => ({})): void {
  let time = new LoadTime();
  setTimeout(() => {
    tally.correct = 0;
    time = new LoadTime();
  }, WARM_UP_SECONDS * 1000);
  setTimeout(
    () => {
      process.stdout.write(
        `${JSON.stringify({ requests: tally.correct, failed: tally.failed, ...time.read(), ...more() })}\n`,
      );
      process.exit(0);
    },
    (WARM_UP_SECONDS + seconds) * 1000,
  );
}
