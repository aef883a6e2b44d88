import type { StopMode } from '../engine/engine.js';
import { Batch } from '../measure/batch.js';
import type { LoadView } from '../measure/health/self-health.js';
import {
  type AdjustOrder,
  type AssignmentOrder,
  type BeginOrder,
  type Health,
  PROTOCOL,
} from '../protocol/messages.js';
import type { Telemetry } from '../protocol/telemetry.js';
import { countClients } from '../threads/divide-clients.js';
import { EngineThreads, type SpareThreads } from '../threads/engine-threads.js';
import { hrNowMs } from '../threads/thread-messages.js';
import { epochNowMs } from './clock.js';

export type EndReason = NonNullable<Telemetry['final']>['reason'];

interface RunOptions {
  readonly threads: number;
  readonly spare: SpareThreads;
  readonly maxClients: number;
  /** Offset to add to our clock to get the controller's, milliseconds. */
  readonly clockOffsetMs: number;
  /** How far that may differ from the true offset, milliseconds. */
  readonly clockErrorMs: number;
  readonly health: () => Health;
  readonly log: (line: string) => void;
  readonly onTelemetry: (batch: Telemetry) => void;
  readonly onBatch: (batch: Batch) => void;
  /** The sessions that were to open before the start have been tried. */
  readonly onOpened: () => void;
  readonly onEnded: (reason: EndReason, problem: string | undefined) => void;
}

/** This worker's part in one run: from its first assignment to its final batch of telemetry. */
export class WorkerRun {
  readonly runId: string;
  readonly workerId: string;
  private readonly plan: AssignmentOrder['plan'];
  private readonly urls: readonly string[];
  private readonly sources: number;
  private readonly assignmentIds = new Set<string>();
  private readonly adjustIds = new Set<string>();
  private engineThreads: EngineThreads | undefined;
  private lastBatch: Batch | undefined;
  private clients = 0;
  private sequence = 0;
  private fromMs: number;
  private reason: EndReason = 'finished';
  private problem: string | undefined;
  private isOver = false;
  private hasBegun = false;

  constructor(
    order: AssignmentOrder,
    private readonly options: RunOptions,
  ) {
    this.runId = order.runId;
    this.workerId = order.workerId;
    this.plan = order.plan;
    this.urls = order.endpoints.map(({ url }) => url);
    this.sources = Math.max(1, ...order.endpoints.map(({ sources }) => sources?.length ?? 1));
    this.fromMs = order.joinMs;
  }

  /** The load by which the worker's own health is judged. */
  get load(): LoadView {
    return {
      batch: this.isOver ? undefined : this.lastBatch,
      threads: this.engineThreads?.threads ?? this.options.threads,
      spinning: this.engineThreads?.pacing === 'spin',
      urls: this.isOver ? [] : this.urls,
      sources: this.sources,
    };
  }

  /** Starts the engine threads, or adds the slots of a lost worker to them. A repeated assignment is ignored. */
  assign(order: AssignmentOrder): void {
    if (this.isOver || this.assignmentIds.has(order.assignmentId)) return;
    this.assignmentIds.add(order.assignmentId);
    this.clients += countClients(order.slots);
    const refusal = this.refusal();
    if (refusal !== undefined) this.refuse(refusal);
    else if (this.engineThreads === undefined) this.engineThreads = this.start(order);
    else this.engineThreads.add(order);
  }

  /** A repeated order is ignored. */
  begin({ startAt }: BeginOrder): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    this.engineThreads?.begin(this.hrAt(startAt));
  }

  adjust(order: AdjustOrder): void {
    if (this.adjustIds.has(order.adjustId)) return;
    this.adjustIds.add(order.adjustId);
    this.engineThreads?.adjust(order);
  }

  /** The first reason holds; a second stop can only be more abrupt. */
  stop(mode: StopMode, reason: EndReason, problem?: string): void {
    if (this.isOver) return;
    if (this.reason === 'finished') {
      this.reason = reason;
      this.problem = problem;
    }
    this.engineThreads?.stop(mode);
  }

  /** Ends the run at once. No telemetry follows. */
  async destroy(): Promise<void> {
    this.isOver = true;
    await this.engineThreads?.destroy();
  }

  private start(order: AssignmentOrder): EngineThreads {
    return new EngineThreads(
      order,
      {
        threads: this.options.threads,
        spare: this.options.spare,
        startHrMs: this.hrAt(order.startAt),
        clockErrorMs: this.options.clockErrorMs,
      },
      {
        onBatch: (batch) => this.send(batch),
        onOpened: this.options.onOpened,
        onLog: this.options.log,
        onLimit: (problem) => this.stop('drain', 'stopped', problem),
        onEnded: (last, problem) => {
          if (this.isOver) return;
          if (problem !== undefined) this.fail(problem);
          this.finish(last);
        },
      },
    );
  }

  /** @param at epoch ms of the controller's clock @returns the same moment on the clock that all threads share */
  private hrAt(at: number): number {
    return hrNowMs() + at - (epochNowMs() + this.options.clockOffsetMs);
  }

  private refusal(): string | undefined {
    const { limits, stages } = this.plan;
    const endMs = Math.max(...stages.map((stage) => stage.startMs + stage.durationMs));
    if (this.clients > limits.clients)
      return `${this.clients} clients were assigned, limits.clients is ${limits.clients}`;
    if (this.clients > this.options.maxClients) {
      return (
        `${this.clients} clients were assigned, this worker takes ${this.options.maxClients}: ` +
        'add workers, or raise --max-clients and ulimit -n'
      );
    }
    if (endMs > limits.durationMs) return `the stages last ${endMs} ms, limits.durationMs is ${limits.durationMs}`;
    return undefined;
  }

  private refuse(problem: string): void {
    this.fail(problem);
    if (this.engineThreads === undefined) this.finish(new Batch(this.plan));
    else this.engineThreads.stop('drain');
  }

  private fail(problem: string): void {
    this.reason = 'failed';
    this.problem = problem;
  }

  private send(batch: Batch, final?: Telemetry['final']): void {
    this.lastBatch = batch;
    this.options.onBatch(batch);
    const toMs = Math.max(batch.toMs, this.fromMs);
    const replicas = batch.replicaSeries();
    const own = batch.ownTime();
    const outcomes = batch.outcomeSeries();
    this.options.onTelemetry({
      protocol: PROTOCOL,
      runId: this.runId,
      sequence: ++this.sequence,
      fromMs: this.fromMs,
      toMs,
      stage: batch.stage,
      series: batch.operationSeries(),
      sessions: batch.sessionSeries(),
      ...(replicas.length === 0 ? {} : { replicas }),
      gauges: batch.totals(),
      ...(own === undefined ? {} : { own }),
      health: this.options.health(),
      samples: batch.samples,
      ...(outcomes.length === 0 ? {} : { outcomes }),
      ...(batch.flows.size === 0 ? {} : { flows: [...batch.flows.values()] }),
      ...(final === undefined ? {} : { final }),
    });
    this.fromMs = toMs;
  }

  private finish(last: Batch): void {
    this.send(last, { reason: this.reason, ...(this.problem === undefined ? {} : { problem: this.problem }) });
    this.isOver = true;
    this.options.onEnded(this.reason, this.problem);
  }
}
