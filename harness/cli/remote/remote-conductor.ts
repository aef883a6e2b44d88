/** Runs that a harness elsewhere conducts, shown here as if they ran here, with their results brought here. */
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { plural } from '../../analysis/format.js';
import type { LiveView } from '../../analysis/live-view.js';
import type { RunRequest } from '../../api/run-request.js';
import type { FinishedRun } from '../../controller/run/run.js';
import type { RunEvent } from '../../log/events.js';
import { createRunFolder } from '../../log/run-folder.js';
import { initialState, nextState } from '../../log/state.js';
import { type Report, reportSchema } from '../../report/schema.js';
import { messageOf } from '../../support/error-message.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import type { Stoppable } from '../interrupts.js';
import type { ConductorOptions, RunConductor } from '../run-conductor.js';
import { createShownRuns } from '../shown-runs.js';
import { type Display, showEvent } from '../terminal/run-display.js';
import type { HarnessApi } from './harness-api.js';

const LIVE_MS = 500;

export function createRemoteConductor(
  api: HarnessApi,
  { resultsFolder, ...options }: ConductorOptions,
): RunConductor<RunRequest> {
  const { interrupts, show } = createShownRuns(options);
  return {
    async run(plan, runRequest) {
      const left = new AbortController();
      let live: LiveView | undefined;
      let state = initialState;
      const shownLive = (): LiveView | undefined => (state.kind === 'running' ? live : undefined);
      return await show(plan, shownLive, async (display) => {
        const { runId, queuePosition } = await api.start(runRequest, left.signal);
        interrupts.direct(stoppable(api, runId, left, display));
        display.doing(queuePosition === undefined ? 'starting' : queueText(queuePosition));
        const polling = new AbortController();
        const polled = pollLive(api, runId, (view) => (live = view), polling.signal);
        const seen = (event: RunEvent): void => void (state = nextState(state, event));
        const outcome = await follow(api.events(runId, left.signal), seen, display).finally(() => polling.abort());
        await polled;
        display.doing('downloading the results');
        mkdirSync(resultsFolder, { recursive: true });
        const folder = createRunFolder(resultsFolder, runId);
        const { report, problems } = await downloadRun(api, runId, folder, left.signal);
        return { finished: { runId, folder, problems, ...outcome }, report };
      });
    },
    interrupted: () => interrupts.count() > 0,
    close: async () => interrupts.end(),
  };
}

function queueText(queuePosition: number): string {
  return `waiting for ${plural(queuePosition, 'other run')}`;
}

/**
 * The third interrupt leaves the run to its harness: the user may want to get out while the harness does not answer.
 */
function stoppable(api: HarnessApi, runId: string, left: AbortController, display: Display): Stoppable {
  let times = 0;
  return {
    stop(_reason, mode, detail) {
      times += 1;
      if (times > 2) {
        return left.abort(
          new CliError({
            code: 'RUN_LEFT',
            message: `left run ${runId} to its harness, which was asked to stop it`,
            hint: '`swarmbench down` removes the whole stack',
            exitCode: exitCode.interrupted,
          }),
        );
      }
      api
        .stop(runId, mode, detail)
        .catch((error: unknown) => display.note(`could not ask the harness to stop the run: ${messageOf(error)}`));
    },
  };
}

type RunOutcome = Pick<FinishedRun, 'verdict' | 'failure' | 'stopped'>;

async function follow(
  events: AsyncIterable<RunEvent>,
  seen: (event: RunEvent) => void,
  display: Display,
): Promise<RunOutcome> {
  let outcome: RunOutcome = {
    verdict: { kind: 'incomplete', reasons: ['the run has no verdict'] },
    failure: undefined,
    stopped: undefined,
  };
  for await (const event of events) {
    seen(event);
    showEvent(event, display);
    outcome = withEvent(outcome, event);
  }
  return outcome;
}

function withEvent(outcome: RunOutcome, event: RunEvent): RunOutcome {
  switch (event.type) {
    case 'run.failed': {
      const { code, message, hint } = event;
      return { ...outcome, failure: outcome.failure ?? { code, message, ...(hint === undefined ? {} : { hint }) } };
    }
    case 'stop.requested':
      return { ...outcome, stopped: outcome.stopped ?? event.reason };
    case 'run.finished':
      return { ...outcome, verdict: event.verdict };
    default:
      return outcome;
  }
}

/** A poll that fails is skipped: the next one may succeed. */
async function pollLive(
  api: HarnessApi,
  runId: string,
  show: (view: LiveView | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    show(await api.live(runId, signal).catch(() => undefined));
    await sleep(LIVE_MS, undefined, { signal }).catch(() => undefined);
  }
}

interface DownloadedRun {
  /** Undefined when the harness could not write it, or when it is of another version. */
  readonly report: Report | undefined;
  readonly problems: readonly string[];
}

/** Everything that the run has written, into its folder, as if it had run here. */
export async function downloadRun(
  api: HarnessApi,
  runId: string,
  folder: string,
  signal: AbortSignal,
): Promise<DownloadedRun> {
  const names = (await api.artifacts(runId, signal))
    .map(({ name }) => name)
    .filter((name) => !/[/\\]|^\.+$/.test(name));
  for (const name of names) await api.download(runId, name, join(folder, name), signal);
  const withoutReport = (problem: string): DownloadedRun => ({ report: undefined, problems: [problem] });
  if (!names.includes('report.json'))
    return withoutReport(`run ${runId} has no report; \`swarmbench logs harness\` may show why`);
  const reportFile = join(folder, 'report.json');
  const parsed = reportSchema.safeParse(JSON.parse(await readFile(reportFile, 'utf8')));
  if (parsed.success) return { report: parsed.data, problems: [] };
  return withoutReport(`${reportFile} was written by another version of swarmbench: this one cannot read it`);
}
