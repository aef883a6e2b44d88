/**
 * Ctrl-C in two stages: the first stops gracefully, the second stops now. Both leave a report. SIGTERM and SIGHUP
 * count, too.
 */
import type { Host } from './host.js';

export interface Stoppable {
  stop(reason: 'interrupt', mode: 'drain' | 'now', detail: string): void;
}

export interface Interrupts {
  /** How many there have been. */
  readonly count: () => number;
  /** Makes interrupts stop this run; one that came before it started stops it at once. */
  direct(run: Stoppable): void;
  end(): void;
}

export function watchInterrupts(host: Host, print: (line: string) => void): Interrupts {
  let times = 0;
  let run: Stoppable | undefined;
  const end = host.onInterrupt((signal) => {
    times += 1;
    if (times === 1) print(`${signal}: stopping gracefully, with a report; repeat it to stop now`);
    if (times === 2) print(`${signal}: stopping now`);
    run?.stop('interrupt', times === 1 ? 'drain' : 'now', signal);
  });
  return {
    count: () => times,
    direct(target) {
      run = target;
      if (times > 0) run.stop('interrupt', times === 1 ? 'drain' : 'now', 'interrupted before it started');
    },
    end,
  };
}
