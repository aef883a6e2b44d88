/** Wires controller, API and local platform for runs of this process, one after the other, and shows them. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { totalDurationMs } from '../../../scenarios/schema/offered-load.js';
import type { Plan } from '../../../scenarios/schema/plan.js';
import { startApi } from '../../api/start-api.js';
import { type Controller, createController } from '../../controller/controller.js';
import type { FinishedRun, Run, SubmitOptions } from '../../controller/run/run.js';
import { createLocalPlatform } from '../../platform/local/local-platform.js';
import { packageVersion } from '../../platform/local/package-root.js';
import type { Platform } from '../../platform/platform.js';
import type { Report } from '../../report/schema.js';
import { writeReport } from '../../report/write-report.js';
import { CliError } from '../cli-error.js';
import type { Host } from '../host.js';
import { watchInterrupts } from '../interrupts.js';
import { noteOf, phaseOf } from '../terminal/event-text.js';
import { createDisplay, type Display } from '../terminal/run-display.js';
import type { Style } from '../terminal/style.js';

interface LocalConductorOptions {
  readonly host: Host;
  readonly resultsFolder: string;
  readonly threads: number | undefined;
  /** Of stderr, where the progress goes. */
  readonly style: Style;
  readonly quiet: boolean;
}

export interface Conducted {
  readonly finished: FinishedRun;
  /** Undefined when it could not be written; `finished.problems` says why. */
  readonly report: Report | undefined;
}

export interface LocalConductor {
  run(plan: Plan, how: SubmitOptions): Promise<Conducted>;
  /** Whether Ctrl-C was pressed, so that no further run is begun. */
  readonly interrupted: () => boolean;
  close(): Promise<void>;
}

/** The API listens on a free port of loopback for as long as the conductor is open. */
export async function createLocalConductor(options: LocalConductorOptions): Promise<LocalConductor> {
  const { host, style, quiet } = options;
  const reports = new Map<string, Report>();
  const controller = createLocalController(options, reports);
  const api = await startApi(controller, { host: '127.0.0.1', port: 0, version: packageVersion() });
  let display: Display | undefined;
  const interrupts = watchInterrupts(host, (line) =>
    display === undefined ? host.stderr.write(`${line}\n`) : display.note(line),
  );

  const run = async (plan: Plan, how: SubmitOptions): Promise<Conducted> => {
    const submitted = controller.submit(plan, how);
    display = createDisplay(host.stderr, style, quiet, {
      scenario: plan.scenario,
      totalMs: totalDurationMs(plan),
      stages: plan.stages.length,
      live: () => (submitted.state.kind === 'running' ? submitted.live() : undefined),
    });
    try {
      interrupts.direct(submitted);
      show(submitted, display);
      const finished = await submitted.finished;
      return { finished, report: reports.get(finished.folder) };
    } finally {
      display.close();
      display = undefined;
    }
  };
  return {
    run,
    interrupted: () => interrupts.count() > 0,
    async close() {
      interrupts.end();
      await controller.destroy();
      await api.close();
    },
  };
}

export function createLocalController(
  { host, resultsFolder, threads }: Pick<LocalConductorOptions, 'host' | 'resultsFolder' | 'threads'>,
  reports: Map<string, Report> = new Map(),
): Controller {
  const platform = createLocalPlatform({ host: host.processes, nodeVersion: host.nodeVersion, threads });
  return createRunController(
    resultsFolder,
    platform,
    async (folder) => void reports.set(folder, await writeReport(folder)),
  );
}

/** @throws CliError when results cannot be written there */
export function createRunController(
  resultsFolder: string,
  platform: Platform,
  report: (runFolder: string) => Promise<void>,
): Controller {
  ensureWritable(resultsFolder);
  return createController({ resultsFolder, platform: () => platform, writeReport: report, version: packageVersion() });
}

/** @throws CliError before anything is started for results that could not be kept */
export function ensureWritable(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new CliError({
      code: 'RESULTS_NOT_WRITABLE',
      message: `results cannot be written to ${folder}`,
      where: error instanceof Error ? error.message : String(error),
      hint: '--out names another folder',
    });
  }
}

function show(run: Run, display: Display): void {
  display.doing('starting');
  run.subscribe((event) => {
    const phase = phaseOf(event);
    if (phase !== undefined) display.doing(phase);
    const note = noteOf(event);
    if (note !== undefined) display.note(note);
  });
}
