/** What all conductors do beside conducting: show a run while it runs, and print interrupts beside it. */

import { totalDurationMs } from '../../scenarios/schema/offered-load.js';
import type { Plan } from '../../scenarios/schema/plan.js';
import type { LiveView } from '../analysis/live-view.js';
import { type Interrupts, watchInterrupts } from './interrupts.js';
import type { ConductorOptions } from './run-conductor.js';
import { createDisplay, type Display } from './terminal/run-display.js';

interface ShownRuns {
  readonly interrupts: Interrupts;
  /** Shows a run until `conduct` is done. @param live undefined before and after the load */
  show<Result>(
    plan: Plan,
    live: () => LiveView | undefined,
    conduct: (display: Display) => Promise<Result>,
  ): Promise<Result>;
}

export function createShownRuns({ host, style, quiet }: Pick<ConductorOptions, 'host' | 'style' | 'quiet'>): ShownRuns {
  let current: Display | undefined;
  return {
    interrupts: watchInterrupts(host, (line) =>
      current === undefined ? host.stderr.write(`${line}\n`) : current.note(line),
    ),
    async show(plan, live, conduct) {
      const display = createDisplay(host.stderr, style, quiet, {
        scenario: plan.scenario,
        totalMs: totalDurationMs(plan),
        stages: plan.stages.length,
        live,
      });
      current = display;
      try {
        return await conduct(display);
      } finally {
        display.close();
        current = undefined;
      }
    },
  };
}
