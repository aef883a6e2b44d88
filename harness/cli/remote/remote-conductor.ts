import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { totalDurationMs } from '../../../scenarios/schema/offered-load.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import type { LiveView } from '../../analysis/live-view.js';
import type { RunRequest } from '../../api/run-request.js';
import type { FinishedRun } from '../../controller/run/run.js';
import type { RunEvent } from '../../log/events.js';
import { createRunFolder } from '../../log/run-folder.js';
import { initialState, nextState } from '../../log/state.js';
import { type Report, reportSchema } from '../../report/schema.js';
import { CliError } from '../cli-error.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { type Stoppable, watchInterrupts } from '../interrupts.js';
import type { Conducted } from '../local/local-conductor.js';
import { noteOf, phaseOf } from '../terminal/event-text.js';
import { createDisplay, type Display } from '../terminal/run-display.js';
import type { Style } from '../terminal/style.js';
import type { HarnessApi } from './harness-api.js';

/** Runs that a harness elsewhere conducts, shown here as if they ran here. */

export interface RemoteConductorOptions {
  readonly host: Host;
  readonly api: HarnessApi;
  readonly resultsFolder: string;
  /** Of stderr, where the progress goes. */
  readonly style: Style;
  readonly quiet: boolean;
}

export interface RemoteConductor {
  run(plan: Plan, request: RunRequest): Promise<Conducted>;
  readonly interrupted: () => boolean;
  close(): Promise<void>;
}

const LIVE_MS = 500;

export function createRemoteConductor(options: RemoteConductorOptions): RemoteConductor {
  const { host, api, resultsFolder, style, quiet } = options;
  let display: Display | undefined;
  const interrupts = watchInterrupts(host, (line) =>
    display === undefined ? host.stderr.write(`${line}\n`) : display.note(line),
  );

  const run = async (plan: Plan, request: RunRequest): Promise<Conducted> => {
    const away = new AbortController();
    let live: LiveView | undefined;
    let state = initialState;
    const shown = createDisplay(host.stderr, style, quiet, {
      scenario: plan.scenario,
      totalMs: totalDurationMs(plan),
      stages: plan.stages.length,
      live: () => (state.kind === 'running' ? live : undefined),
    });
    display = shown;
    try {
      const { runId, queuePosition } = await api.start(request, away.signal);
      interrupts.direct(stoppable(api, runId, away, shown));
      shown.doing(
        queuePosition === undefined
          ? 'starting'
          : `waiting for ${queuePosition} other run${queuePosition === 1 ? '' : 's'}`,
      );
      const polling = new AbortController();
      const polled = pollLive(api, runId, (view) => (live = view), polling.signal);
      const seen = (event: RunEvent): void => void (state = nextState(state, event));
      const outcome = await follow(api.events(runId, away.signal), seen, shown).finally(() => polling.abort());
      await polled;
      shown.doing('bringing the results home');
      const { folder, report, problems } = await downloadRun(api, runId, resultsFolder, away.signal);
      return { finished: { runId, folder, problems, ...outcome }, report };
    } finally {
      shown.close();
      display = undefined;
    }
  };
  return {
    run,
    interrupted: () => interrupts.count() > 0,
    close: async () => interrupts.end(),
  };
}

/** The third interrupt leaves the run to its harness: somebody may want to get out while nobody answers. */
function stoppable(api: HarnessApi, runId: string, away: AbortController, display: Display): Stoppable {
  let times = 0;
  return {
    stop(_reason, mode, detail) {
      times += 1;
      if (times > 2) {
        return away.abort(
          new CliError({
            code: 'RUN_LEFT',
            message: `run ${runId} was left to its harness, which is asked to stop it`,
            hint: '`swarmbench down` removes everything',
            exitCode: exitCode.interrupted,
          }),
        );
      }
      api
        .stop(runId, mode, detail)
        .catch((error: unknown) =>
          display.note(
            `the harness could not be told to stop: ${error instanceof Error ? error.message : String(error)}`,
          ),
        );
    },
  };
}

type Outcome = Pick<FinishedRun, 'verdict' | 'failure' | 'stopped'>;

async function follow(
  events: AsyncIterable<RunEvent>,
  seen: (event: RunEvent) => void,
  display: Display,
): Promise<Outcome> {
  let outcome: Outcome = {
    verdict: { kind: 'incomplete', reasons: ['the run has no verdict'] },
    failure: undefined,
    stopped: undefined,
  };
  for await (const event of events) {
    seen(event);
    const phase = phaseOf(event);
    if (phase !== undefined) display.doing(phase);
    const note = noteOf(event);
    if (note !== undefined) display.note(note);
    outcome = withEvent(outcome, event);
  }
  return outcome;
}

function withEvent(outcome: Outcome, event: RunEvent): Outcome {
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

/** A look that fails is a look less. */
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

export interface DownloadedRun {
  readonly folder: string;
  /** Undefined when the harness could not write it, or it is of another version. */
  readonly report: Report | undefined;
  readonly problems: readonly string[];
}

/** Everything that a run has written, into `resultsFolder/<run>`, as if it had run here. */
export async function downloadRun(
  api: HarnessApi,
  runId: string,
  resultsFolder: string,
  signal: AbortSignal,
): Promise<DownloadedRun> {
  mkdirSync(resultsFolder, { recursive: true });
  const folder = createRunFolder(resultsFolder, runId);
  const names = (await api.artifacts(runId, signal))
    .map(({ name }) => name)
    .filter((name) => !/[/\\]|^\.+$/.test(name));
  for (const name of names) await api.download(runId, name, join(folder, name), signal);
  if (!names.includes('report.json'))
    return {
      folder,
      report: undefined,
      problems: [`run ${runId} has no report; \`swarmbench logs harness\` may say why`],
    };
  const parsed = reportSchema.safeParse(JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')));
  if (parsed.success) return { folder, report: parsed.data, problems: [] };
  return {
    folder,
    report: undefined,
    problems: [
      `${join(folder, 'report.json')} is not as this version of swarmbench knows it; is the harness of another one?`,
    ],
  };
}
