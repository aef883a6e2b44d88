import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** Processor time that everybody together took of one core, from here on. */
export class CoreTime {
  private readonly startedAt = performance.now();
  private readonly before: number;

  constructor(private readonly core: number) {
    this.before = busyTicks(core);
  }

  read(): { readonly busySeconds: number; readonly wallSeconds: number } {
    return {
      busySeconds: (busyTicks(this.core) - this.before) / TICKS_PER_SECOND,
      wallSeconds: (performance.now() - this.startedAt) / 1000,
    };
  }
}

/** user, nice, system, irq, softirq and steal of `/proc/stat`; idle and iowait are not work. */
function busyTicks(core: number): number {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[1];
  if (line === undefined) throw new Error(`/proc/stat has no core ${core}`);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(' ').map(Number);
  return user + nice + system + irq + softirq + steal;
}
