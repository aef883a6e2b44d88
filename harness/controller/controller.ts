import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../../scenarios/schema/plan.js';
import { redactPlan } from '../../scenarios/schema/redact.js';
import { ControllerError, messageOf } from '../log/errors.js';
import { EventLog } from '../log/event-log.js';
import { createRunFolder, files } from '../log/run-folder.js';
import { runId } from '../log/run-id.js';
import type { Platform, StartedProgram } from '../platform/platform.js';
import { endPrograms } from './adopt/programs.js';
import { restore, resume } from './adopt/restore.js';
import { holdLease } from './adopt/run-lease.js';
import { unfinishedRuns } from './adopt/unfinished.js';
import { ActiveRun, type ControllerContext, RunCore } from './run/active-run.js';
import { conclude } from './run/conclude.js';
import { conduct } from './run/conduct.js';
import { conductFaults } from './run/faults.js';
import { loadPhase } from './run/load-phase.js';
import type { Run, SubmitOptions } from './run/run.js';
import { type MessageCounts, noMessages } from './run/telemetry-intake.js';
import { defaultTimings, type Timings } from './timings.js';
import { WorkerRegistry } from './workers/worker-registry.js';

export interface ControllerOptions {
  readonly resultsFolder: string;
  /** Where a run's programs run; asked once a run. */
  readonly platform: (plan: Plan) => Platform;
  /** Called after the verdict with the run's folder; renders the report from the log. */
  readonly writeReport: (runFolder: string) => Promise<void>;
  /** Of this program, for the log. */
  readonly version: string;
  readonly timings?: Partial<Timings>;
  /** Epoch milliseconds that never step back. */
  readonly now?: () => number;
}

/** What the controller needs of its own API before it can start a run. */
interface Listening {
  readonly url: string;
  readonly workerToken: string | undefined;
}

export interface AdoptedRun {
  readonly run: Run;
  /** Where its workers look for their controller; undefined when it never got that far. */
  readonly controllerUrl: string | undefined;
}

interface Adoption {
  readonly adopted: readonly AdoptedRun[];
  /** Folders that could not be read, in words. */
  readonly problems: readonly string[];
}

interface Job {
  readonly run: ActiveRun;
  /** Lets go of the run's lease. */
  readonly release: () => void;
}

/** Conducts runs, one at a time, in the order they were asked for; keeps their logs. */
export class Controller {
  readonly resultsFolder: string;
  readonly shared: ControllerContext;
  private readonly waiting: (Job & { readonly options: SubmitOptions })[] = [];
  /** One that was started here, or all that were adopted. */
  private readonly on = new Set<ActiveRun>();
  private _listening: Listening | undefined;
  private closing = false;
  private lastCounts: MessageCounts = noMessages;

  constructor(private readonly options: ControllerOptions) {
    this.resultsFolder = options.resultsFolder;
    mkdirSync(options.resultsFolder, { recursive: true });
    const now = options.now ?? ((): number => performance.timeOrigin + performance.now());
    const timings = { ...defaultTimings, ...options.timings };
    this.shared = {
      timings,
      now,
      registry: new WorkerRegistry(timings, now),
      totals: { telemetryBatches: 0, telemetryBytes: 0 },
    };
  }

  get registry(): WorkerRegistry {
    return this.shared.registry;
  }

  /** Runs that are on, then those that wait, in their order. Finished ones are in the results folder. */
  runs(): readonly Run[] {
    return [...this.on, ...this.waiting.map((job) => job.run)];
  }

  run(id: string): Run | undefined {
    return this.runs().find((run) => run.id === id);
  }

  /** The run that is on. */
  current(): Run | undefined {
    return [...this.on].at(-1);
  }

  /** Place in the queue, from 1; undefined when it does not wait. */
  queuePosition(id: string): number | undefined {
    const index = this.waiting.findIndex((job) => job.run.id === id);
    return index === -1 ? undefined : index + 1;
  }

  /** Messages of the run that is on, or else of the last one. */
  counts(): MessageCounts {
    return [...this.on].at(-1)?.counts ?? this.lastCounts;
  }

  /** The API is up: runs may start. */
  listening(at: Listening): void {
    this._listening = at;
    this.next();
  }

  get ready(): boolean {
    return this._listening !== undefined && !this.closing;
  }

  /** Logs the run and lets it wait for its turn. @throws ControllerError CONTROLLER_CLOSING; file system errors */
  submit(plan: Plan, options: SubmitOptions): Run {
    if (this.closing)
      throw new ControllerError('CONTROLLER_CLOSING', 'the controller is shutting down and takes no new runs');
    const { now } = this.shared;
    const id = runId(plan.scenario, now());
    const folder = createRunFolder(this.resultsFolder, id);
    // Held from before there is a log, and while it waits: another controller on the same folder must not take it for a
    // dead one's.
    const release = holdLease(folder);
    const log = EventLog.create(join(folder, files.events), now);
    const { command, labels } = options;
    const { version } = this.options;
    log.append({
      type: 'run.created',
      runId: id,
      plan: redactPlan(plan),
      command,
      version,
      ...(labels === undefined ? {} : { labels }),
    });
    const run = new ActiveRun(new RunCore(id, folder, plan, log, this.shared));
    this.waiting.push({ run, options, release });
    run.core.stopping.signal.addEventListener('abort', () => this.leaveQueue(run));
    this.next();
    return run;
  }

  /**
   * Continues the runs that a controller before this one left unfinished; those whose load had not begun are ended as
   * incomplete. New runs wait until they are over. To be called before the API listens, so that no worker of such a run
   * is met as a stranger; the API must then listen at their `controllerUrl`.
   */
  async adopt(): Promise<Adoption> {
    const found = await unfinishedRuns(this.resultsFolder);
    const problems = [...found.problems];
    const adopted: AdoptedRun[] = [];
    for (const { folder, controllerUrl } of found.runs) {
      try {
        adopted.push({ run: await this.adoptRun(folder), controllerUrl });
      } catch (error) {
        problems.push(`${folder}: ${messageOf(error)}`);
      }
    }
    return { adopted, problems };
  }

  /** Ends what is on (waiting for answers, report and teardown) and what waits; nothing is left behind. */
  async close(): Promise<void> {
    await this.end('drain');
  }

  /** As `close`, but cuts the load instead of waiting for answers. */
  async destroy(): Promise<void> {
    await this.end('now');
  }

  private async end(mode: 'drain' | 'now'): Promise<void> {
    this.closing = true;
    const runs = this.runs();
    for (const run of runs) run.stop('interrupt', mode, 'the controller is shutting down');
    await Promise.all(runs.map((run) => run.finished));
    this.registry.close();
  }

  private next(): void {
    if (this._listening === undefined || this.on.size > 0) return;
    const job = this.waiting.shift();
    if (job === undefined) return;
    const { run, options } = job;
    this.on.add(run);
    const how = {
      platform: () => this.options.platform(run.plan),
      controllerUrl: this._listening.url,
      workerToken: this._listening.workerToken,
      options,
    };
    void conduct(run.core, how).then((deployment) =>
      this.finish(job, deployment?.programs ?? [], async () => deployment?.environment.teardown()),
    );
  }

  private leaveQueue(run: ActiveRun): void {
    const index = this.waiting.findIndex((job) => job.run === run);
    const [job] = index === -1 ? [] : this.waiting.splice(index, 1);
    if (job) void this.finish(job, [], async () => undefined);
  }

  private async adoptRun(folder: string): Promise<ActiveRun> {
    const { core, history, programs } = await restore(folder, this.shared);
    const run = new ActiveRun(core, history.all('load.adjusted').length);
    const job = { run, release: holdLease(folder) };
    this.on.add(run);
    let taken = false;
    try {
      await resume(core, history);
      taken = true;
    } catch (error) {
      core.fail(error);
    }
    // Not awaited: the caller must be able to listen, or no worker can come back.
    // Where the run itself could not be taken up, no fault begins; but what it had changed is undone.
    if (!taken) core.over.abort();
    const faults = conductFaults(core, this.options.platform(core.plan).faults, history);
    void (taken ? loadPhase(core, async () => []) : Promise.resolve())
      .then(() => faults.end())
      .then(() => this.finish(job, programs, () => endPrograms(programs)));
    return run;
  }

  private async finish(
    { run, release }: Job,
    programs: readonly StartedProgram[],
    teardown: () => Promise<void>,
  ): Promise<void> {
    const finished = await conclude(run.core, { teardown, writeReport: this.options.writeReport });
    release();
    this.registry.release(run.id);
    this.registry.forgetPrograms(new Set(programs.map((program) => program.pid)));
    this.lastCounts = run.counts;
    this.on.delete(run);
    run.end(finished);
    this.next();
  }
}

export function createController(options: ControllerOptions): Controller {
  return new Controller(options);
}
