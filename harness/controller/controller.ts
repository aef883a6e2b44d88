import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type MessageCounts, noMessages } from '../../client-sim/protocol/telemetry.js';
import type { Plan } from '../../scenarios/schema/plan.js';
import { redactPlan } from '../../scenarios/schema/redact.js';
import { ControllerError } from '../log/errors.js';
import { EventLog } from '../log/event-log.js';
import { createRunFolder, files, type RunTokens } from '../log/run-folder.js';
import { runId } from '../log/run-id.js';
import type { Platform, StartedProgram } from '../platform/platform.js';
import { messageOf } from '../support/error-message.js';
import { newSecret } from '../support/secret.js';
import { endPrograms } from './adopt/programs.js';
import { restore, resume } from './adopt/restore.js';
import { holdLease } from './adopt/run-lease.js';
import { unfinishedRuns } from './adopt/unfinished.js';
import { ActiveRun, type ControllerContext } from './run/active-run.js';
import { conclude } from './run/conclude.js';
import { conduct, noteProgram } from './run/conduct.js';
import { conductFaults } from './run/faults.js';
import { loadPhase } from './run/load-phase.js';
import type { Run, SubmitOptions } from './run/run.js';
import { defaultTimings, type Timings } from './timings.js';
import { WorkerRegistry } from './workers/worker-registry.js';

export interface ControllerOptions {
  readonly resultsFolder: string;
  /** Where the programs of a run are started; called once for each run. */
  readonly platform: (plan: Plan) => Platform;
  /** Renders the report from the log; called after the verdict. */
  readonly writeReport: (runFolder: string) => Promise<void>;
  /** The version of this program, for the log. */
  readonly version: string;
  readonly timings?: Partial<Timings>;
  /** Epoch milliseconds that never step back. */
  readonly now?: () => number;
}

export interface AdoptedRun {
  readonly run: Run;
  /** The URL at which its workers look for their controller; undefined when it had none yet. */
  readonly controllerUrl: string | undefined;
}

interface Adoption {
  readonly adopted: readonly AdoptedRun[];
  /** Run folders that could not be read, as sentences. */
  readonly problems: readonly string[];
}

interface Job {
  readonly run: ActiveRun;
  readonly releaseLease: () => void;
}

interface QueuedJob extends Job {
  readonly submit: SubmitOptions;
}

/** Conducts runs, one at a time, in the order of their submission, and keeps their logs. */
export class Controller {
  readonly resultsFolder: string;
  private readonly context: ControllerContext;
  private readonly queue: QueuedJob[] = [];
  /** The run that was started here, or all runs that were adopted. */
  private readonly active = new Set<ActiveRun>();
  /** Where workers reach the API of this controller; undefined until it listens. */
  private url: string | undefined;
  private accept: (connection: Duplex) => void = (connection) => void connection.destroy();
  private closing = false;
  private lastCounts: MessageCounts = noMessages;

  constructor(private readonly options: ControllerOptions) {
    this.resultsFolder = options.resultsFolder;
    mkdirSync(options.resultsFolder, { recursive: true });
    const now = options.now ?? ((): number => performance.timeOrigin + performance.now());
    const timings = { ...defaultTimings, ...options.timings };
    this.context = {
      timings,
      now,
      registry: new WorkerRegistry(timings, now),
      totals: { telemetryBatches: 0, telemetryBytes: 0 },
    };
  }

  get registry(): WorkerRegistry {
    return this.context.registry;
  }

  /** Sums since the controller started. */
  get telemetryTotals(): Readonly<ControllerContext['totals']> {
    return this.context.totals;
  }

  now(): number {
    return this.context.now();
  }

  /** Active runs, then queued ones in their order. Finished runs are in the results folder. */
  runs(): readonly Run[] {
    return [...this.active, ...this.queue.map((job) => job.run)];
  }

  run(id: string): Run | undefined {
    return this.runs().find((run) => run.id === id);
  }

  /** The active run. */
  current(): Run | undefined {
    return [...this.active].at(-1);
  }

  /** Place in the queue, from 1; undefined when the run is not queued. */
  queuePosition(id: string): number | undefined {
    const index = this.queue.findIndex((job) => job.run.id === id);
    return index === -1 ? undefined : index + 1;
  }

  /** Message counts of the active run, or else of the last one. */
  counts(): MessageCounts {
    return [...this.active].at(-1)?.counts ?? this.lastCounts;
  }

  /**
   * Called when the API listens: from now on runs may start.
   * @param url where workers reach it
   * @param accept takes a connection as if it had come to that URL
   */
  listening(url: string, accept?: (connection: Duplex) => void): void {
    this.url = url;
    if (accept !== undefined) this.accept = accept;
    this.startNext();
  }

  get ready(): boolean {
    return this.url !== undefined && !this.closing;
  }

  /** Logs the run and queues it. @throws ControllerError CONTROLLER_CLOSING; file system errors */
  submit(plan: Plan, submit: SubmitOptions): Run {
    if (this.closing)
      throw new ControllerError('CONTROLLER_CLOSING', 'the controller is shutting down and takes no new runs');
    const { now } = this.context;
    const id = runId(plan.scenario, now());
    const folder = createRunFolder(this.resultsFolder, id);
    // Taken before there is a log, and held while the run is queued, so that another controller on the same folder does
    // not adopt it.
    const releaseLease = holdLease(folder);
    const log = EventLog.create(join(folder, files.events), now);
    const { command, labels } = submit;
    const { version } = this.options;
    log.append({
      type: 'run.created',
      runId: id,
      plan: redactPlan(plan),
      command,
      version,
      ...(labels === undefined ? {} : { labels }),
    });
    const run = new ActiveRun(id, folder, plan, log, newRunTokens(), this.context);
    this.queue.push({ run, submit, releaseLease });
    run.stopping.addEventListener('abort', () => this.leaveQueue(run));
    this.startNext();
    return run;
  }

  /**
   * Continues the runs that a previous controller left unfinished; runs whose load had not begun end as incomplete. New
   * runs wait until they are over. Must be called before the API listens, so that their workers are known when they
   * return; the API must then listen at their `controllerUrl`.
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

  /** Stops all runs, active and queued, and resolves when answers, reports and teardown are done. */
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
    for (const run of runs) run.stop('shutdown', mode, 'the controller is shutting down');
    await Promise.all(runs.map((run) => run.finished));
    this.registry.close();
  }

  private startNext(): void {
    if (this.url === undefined || this.active.size > 0) return;
    const job = this.queue.shift();
    if (job === undefined) return;
    const { run, submit } = job;
    this.active.add(run);
    const options = {
      platform: () => this.options.platform(run.plan),
      controllerUrl: this.url,
      accept: this.accept,
      submit,
    };
    void conduct(run, options).then((deployment) =>
      this.finish(job, deployment?.programs ?? [], async () => deployment?.environment.teardown()),
    );
  }

  private leaveQueue(run: ActiveRun): void {
    const index = this.queue.findIndex((job) => job.run === run);
    const [job] = index === -1 ? [] : this.queue.splice(index, 1);
    if (job) void this.finish(job, [], async () => undefined);
  }

  private async adoptRun(folder: string): Promise<ActiveRun> {
    const { run, history, programs } = await restore(folder, this.context);
    const job = { run, releaseLease: holdLease(folder) };
    this.active.add(run);
    let resumed = false;
    try {
      await resume(run, history);
      resumed = true;
    } catch (error) {
      run.fail(error);
      // From here on no fault begins, but those that are on are undone.
      run.endLoad();
    }
    const all = [...programs];
    const platform = this.options.platform(run.plan);
    const faults = conductFaults(run, platform.faults, (program) => noteProgram(run, all, program), history);
    const watched = platform.adopt(run.plan, { programs, untilMs: Date.parse(history.events.at(-1)?.at ?? '') || 0 });
    // Not awaited: the caller must be able to listen, or no worker can return.
    void (resumed ? loadPhase(run, watched) : Promise.resolve())
      .then(() => faults.end())
      .then(() => this.finish(job, all, () => endPrograms(all)));
    return run;
  }

  private async finish(
    { run, releaseLease }: Job,
    programs: readonly StartedProgram[],
    teardown: () => Promise<void>,
  ): Promise<void> {
    const finished = await conclude(run, { teardown, writeReport: this.options.writeReport });
    releaseLease();
    this.registry.release(run.id);
    this.registry.forgetPrograms(new Set(programs.map((program) => program.pid)));
    this.lastCounts = run.counts;
    this.active.delete(run);
    run.finish(finished);
    this.startNext();
  }
}

function newRunTokens(): RunTokens {
  return { worker: newSecret(), operator: newSecret() };
}
