/** Runs that the controller of this process conducts, shown as they go. */
import type { LiveView } from '../../analysis/live-view.js';
import type { ApiAccess } from '../../api/access.js';
import { startApi } from '../../api/start-api.js';
import type { SubmitOptions } from '../../controller/run/run.js';
import type { Report } from '../../report/schema.js';
import { packageVersion } from '../package-root.js';
import type { ConductorOptions, RunConductor } from '../run-conductor.js';
import { createShownRuns } from '../shown-runs.js';
import { showEvent } from '../terminal/run-display.js';
import { createLocalController, type LocalControllerOptions } from './local-controller.js';

export type LocalConductor = RunConductor<SubmitOptions>;

/** Its API is for the workers of its own runs: there is no token but those of each run. */
const OWN_RUNS_ONLY: ApiAccess = {
  kind: 'tokens',
  find: () => undefined,
  hint:
    'This API belongs to a run of the command line. Calls about that run take the token at `run.operator` in ' +
    'secrets.json of its run folder; `swarmbench serve` is the API for everything else.',
};

/** Its API listens on a free port of loopback as long as the conductor is open. */
export async function createLocalConductor(
  options: ConductorOptions & LocalControllerOptions,
): Promise<LocalConductor> {
  const reports = new Map<string, Report>();
  const controller = createLocalController(options, reports);
  const api = await startApi(controller, {
    host: '127.0.0.1',
    port: 0,
    version: packageVersion(),
    access: OWN_RUNS_ONLY,
  });
  const { interrupts, show } = createShownRuns(options);
  return {
    async run(plan, submitOptions) {
      const run = controller.submit(plan, submitOptions);
      const live = (): LiveView | undefined => (run.state.kind === 'running' ? run.live() : undefined);
      return await show(plan, live, async (display) => {
        interrupts.direct(run);
        display.doing('starting');
        run.subscribe((event) => showEvent(event, display));
        const finished = await run.finished;
        return { finished, report: reports.get(finished.folder) };
      });
    },
    interrupted: () => interrupts.count() > 0,
    async close() {
      interrupts.end();
      await controller.destroy();
      await api.close();
    },
  };
}
