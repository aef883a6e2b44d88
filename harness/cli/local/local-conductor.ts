/** Runs that the controller of this process conducts, shown as they go. */
import { totalDurationMs } from '../../../scenarios/schema/offered-load.js';
import { startApi } from '../../api/start-api.js';
import type { SubmitOptions } from '../../controller/run/run.js';
import type { Report } from '../../report/schema.js';
import { watchInterrupts } from '../interrupts.js';
import { packageVersion } from '../package-root.js';
import type { ConductorOptions, RunConductor } from '../run-conductor.js';
import { createDisplay, type Display, showEvent } from '../terminal/run-display.js';
import { createLocalController, type LocalControllerOptions } from './local-controller.js';

export type LocalConductor = RunConductor<SubmitOptions>;

/** Its API listens on a free port of loopback as long as the conductor is open. */
export async function createLocalConductor(
  options: ConductorOptions & LocalControllerOptions,
): Promise<LocalConductor> {
  const { host, style, quiet } = options;
  const reports = new Map<string, Report>();
  const controller = createLocalController(options, reports);
  const api = await startApi(controller, { host: '127.0.0.1', port: 0, version: packageVersion() });
  let display: Display | undefined;
  const interrupts = watchInterrupts(host, (line) =>
    display === undefined ? host.stderr.write(`${line}\n`) : display.note(line),
  );
  return {
    async run(plan, submitOptions) {
      const run = controller.submit(plan, submitOptions);
      const shown = createDisplay(host.stderr, style, quiet, {
        scenario: plan.scenario,
        totalMs: totalDurationMs(plan),
        stages: plan.stages.length,
        live: () => (run.state.kind === 'running' ? run.live() : undefined),
      });
      display = shown;
      try {
        interrupts.direct(run);
        shown.doing('starting');
        run.subscribe((event) => showEvent(event, shown));
        const finished = await run.finished;
        return { finished, report: reports.get(finished.folder) };
      } finally {
        shown.close();
        display = undefined;
      }
    },
    interrupted: () => interrupts.count() > 0,
    async close() {
      interrupts.end();
      await controller.destroy();
      await api.close();
    },
  };
}
