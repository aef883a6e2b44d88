/** Contestants in JavaScript run so long before they are measured: until then their compilers work, which wrk's did long ago. */
export const WARM_UP_SECONDS = 2;

/** Processor time of this process, all threads, from here on; start-up is not the load's. */
export class LoadTime {
  private readonly before = process.cpuUsage();

  /** Seconds since the beginning. */
  read(): { readonly cpuSeconds: number; readonly userSeconds: number } {
    const { user, system } = process.cpuUsage(this.before);
    return { cpuSeconds: (user + system) / 1e6, userSeconds: user / 1e6 };
  }
}
