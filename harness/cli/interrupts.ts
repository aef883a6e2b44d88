/**
 * Two-stage Ctrl-C: the first asks for a graceful stop and a report, the second for a stop now. SIGTERM counts alike.
 */
import type { Host } from './host.js';

export interface Stoppable {
  stop(reason: 'interrupt', mode: 'drain' | 'now', detail: string): void;
}

interface Interrupts {
  /** How many came. */
  readonly count: () => number;
  /** What the next ones stop; also what has been asked for before it was there. */
  direct(run: Stoppable): void;
  end(): void;
}

export function watchInterrupts(host: Host, say: (line: string) => void): Interrupts {
  let times = 0;
  let run: Stoppable | undefined;
  const end = host.onInterrupt((signal) => {
    times += 1;
    if (times === 1) say(`${signal}: stopping gracefully, the report will still be written; again to stop now`);
    if (times === 2) say(`${signal}: stopping now`);
    run?.stop('interrupt', times === 1 ? 'drain' : 'now', signal);
  });
  return {
    count: () => times,
    direct(target) {
      run = target;
      if (times > 0) run.stop('interrupt', times === 1 ? 'drain' : 'now', 'interrupted before it began');
    },
    end,
  };
}
