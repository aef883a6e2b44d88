import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { connectionCapacity } from '../measure/health/connection-capacity.js';
import { type LoadView, SelfHealth } from '../measure/health/self-health.js';
import { MetricsServer } from '../measure/metrics-server.js';
import { WorkerMetrics } from '../measure/worker-metrics.js';
import { runPreflight } from '../preflight/preflight.js';
import {
  type AssignmentOrder,
  type Clock,
  type Health,
  type Order,
  PROTOCOL,
  type PreflightOrder,
  type Registered,
  type Registration,
} from '../protocol/messages.js';
import type { Telemetry } from '../protocol/telemetry.js';
import { SpareThreads } from '../threads/engine-threads.js';
import { ControllerHttp, ControllerUnreachable, type TurnedConnections } from './controller-http.js';
import { Heartbeats } from './heartbeats.js';
import { Lease, watchLeaseFile } from './lease.js';
import { Membership } from './membership.js';
import { OrderStream } from './order-stream.js';
import { pause, Retry } from './retry.js';
import { TelemetryQueue } from './telemetry-queue.js';
import { type EndReason, WorkerRun } from './worker-run.js';

const HEALTH_MS = 1_000;
const DEFAULT_LEASE_MS = 10_000;
/** An idle worker ends when its controller has been silent for this long. */
const UNREACHABLE_MS = 30_000;
const RATE_PER_THREAD = 100_000;
const REPORT_TIMEOUT_MS = 10_000;
/** A worker that is cut gets this long to deliver its last batch. */
const LAST_BATCH_MS = 2_000;
/** Runs that have ended are remembered, so that repeated orders do not start them again. */
const MAX_ENDED_RUNS = 100;

/** The worker: registers with a controller, makes the load that the controller orders, and reports what it measured. */
export class LoadWorker {
  private readonly http: ControllerHttp;
  private readonly membership: Membership;
  private readonly orders: OrderStream;
  private readonly heartbeats: Heartbeats;
  private readonly queue: TelemetryQueue;
  private readonly incarnation = randomUUID();
  private readonly capacity: Registration['capacity'];
  private readonly selfHealth: SelfHealth;
  private readonly metrics = new WorkerMetrics();
  private readonly spare: SpareThreads;
  private readonly lifetime = new AbortController();
  private health: Health;
  private clock: Clock | undefined;
  private run: WorkerRun | undefined;
  private readonly endedRunIds: string[] = [];
  private preflightRunId: string | undefined;
  private resolveEnd: ((end: WorkerEnd) => void) | undefined;

  /** @throws TypeError when the controller's URL is not http(s) */
  constructor(private readonly options: WorkerOptions) {
    const { connections, bound } = connectionCapacity();
    this.capacity = {
      clients: options.maxClients ?? connections,
      ratePerSecond: options.maxRate ?? options.threads * RATE_PER_THREAD,
      connections,
      bound,
    };
    this.selfHealth = new SelfHealth(this.capacity.clients);
    this.health = this.selfHealth.sample(idleView(options.threads));
    this.http = new ControllerHttp(options.controllerUrl, options.controllerCa, options.turned);
    this.spare = new SpareThreads(options.threads);
    this.membership = new Membership({
      http: this.http,
      token: options.token,
      registration: () => this.registration(),
      onRegistered: (identity) => this.registered(identity),
    });
    this.orders = new OrderStream({
      http: this.http,
      membership: this.membership,
      onOrder: (order) => this.execute(order),
      warn: options.log,
    });
    this.heartbeats = new Heartbeats({
      membership: this.membership,
      health: () => this.health,
      onClock: (clock) => {
        this.clock = clock;
      },
    });
    this.queue = new TelemetryQueue(this.membership, options.log);
  }

  /** Works until it is asked to end or has no controller left. Everything is closed when this resolves. */
  async work(signals: WorkerSignals): Promise<WorkerEnd> {
    const { leaseFile, metrics, log } = this.options;
    const server =
      metrics === undefined ? undefined : await MetricsServer.start(this.metrics.registry, metrics.host, metrics.port);
    if (server !== undefined) log(`metrics on port ${server.port}`);
    const ended = new Promise<WorkerEnd>((resolve) => {
      this.resolveEnd = resolve;
    });
    const lease = new Lease(
      () => this.membership.silentMs,
      () => this.membership.identity?.leaseMs ?? DEFAULT_LEASE_MS,
      () => this.onLeaseLost(),
    );
    const leaseFileWatch =
      leaseFile === undefined
        ? undefined
        : watchLeaseFile(leaseFile, (why) => this.resolveEnd?.({ kind: 'lease-stale', why }));
    const healthTimer = setInterval(() => this.checkHealth(lease), HEALTH_MS);
    signals.drain.addEventListener('abort', () => void this.retire(), { once: true });
    signals.cut.addEventListener('abort', () => void this.cut(), { once: true });
    if (signals.drain.aborted) void this.retire();
    const loops = Promise.all([
      this.heartbeats.run(this.lifetime.signal),
      this.orders.run(this.lifetime.signal),
      this.queue.run(this.lifetime.signal),
    ]).catch((error: unknown) => {
      if (!this.lifetime.signal.aborted)
        this.resolveEnd?.({ kind: 'refused', why: error instanceof Error ? error.message : String(error) });
    });
    const end = await ended;
    clearInterval(healthTimer);
    lease.close();
    leaseFileWatch?.close();
    this.lifetime.abort();
    await Promise.all([this.http.close(), loops, this.run?.destroy(), this.spare.close(), server?.close()]);
    return end;
  }

  // ---- orders ----

  private execute(order: Order): void {
    switch (order.type) {
      case 'preflight':
        void this.answerPreflight(order);
        return;
      case 'assignment':
        this.assign(order);
        return;
      case 'begin':
        if (this.run?.runId === order.runId) this.run.begin(order);
        return;
      case 'adjust':
        if (this.run?.runId === order.runId) this.run.adjust(order);
        return;
      case 'stop':
        if (this.run?.runId === order.runId) this.run.stop(order.mode, 'stopped');
        return;
    }
  }

  private assign(order: AssignmentOrder): void {
    if (this.endedRunIds.includes(order.runId)) return;
    if (this.run !== undefined && this.run.runId !== order.runId) {
      this.options.log(`run ${order.runId} replaces run ${this.run.runId}, which is cut`);
      void this.run.destroy();
      this.removeRun(this.run);
    }
    this.run ??= this.begin(order);
    this.run.assign(order);
  }

  private begin(order: AssignmentOrder): WorkerRun {
    this.options.log(`run ${order.runId}: started`);
    const run: WorkerRun = new WorkerRun(order, {
      threads: this.options.threads,
      spare: this.spare,
      maxClients: this.capacity.clients,
      clockOffsetMs: this.clock?.offsetMs ?? 0,
      clockErrorMs: this.clock?.errorMs ?? 0,
      health: () => this.health,
      log: this.options.log,
      onTelemetry: (batch) => {
        this.queue.push(batch);
        this.options.onTelemetry?.(batch);
      },
      onBatch: (batch) => this.metrics.observe(batch, order.plan),
      onOpened: () => void this.report('opened', JSON.stringify({ protocol: PROTOCOL, runId: order.runId })),
      onEnded: (reason, problem) => this.onRunEnded(run, reason, problem),
    });
    return run;
  }

  private onRunEnded(run: WorkerRun, reason: EndReason, problem: string | undefined): void {
    this.options.log(`run ${run.runId}: ${reason}${problem === undefined ? '' : `: ${problem}`}`);
    this.removeRun(run);
  }

  private removeRun(run: WorkerRun): void {
    this.endedRunIds.push(run.runId);
    if (this.endedRunIds.length > MAX_ENDED_RUNS) this.endedRunIds.shift();
    if (this.run === run) this.run = undefined;
    this.spare.refill();
  }

  /** Runs one preflight per run. */
  private async answerPreflight(order: PreflightOrder): Promise<void> {
    if (this.preflightRunId === order.runId) return;
    this.preflightRunId = order.runId;
    await this.report('preflight', JSON.stringify(await runPreflight(order, this.options.log)));
  }

  /** Sends it until it arrives or the controller no longer waits for it. */
  private async report(path: 'preflight' | 'opened', body: string): Promise<void> {
    const retry = new Retry(HEALTH_MS);
    const { signal } = this.lifetime;
    while (!signal.aborted) {
      try {
        const { status } = await this.membership.call(path, body, REPORT_TIMEOUT_MS, signal);
        if (status < 300 || (status >= 400 && status < 500 && status !== 404 && status !== 401)) return;
      } catch (error) {
        if (!(error instanceof ControllerUnreachable)) return;
      }
      await retry.wait(signal);
    }
  }

  // ---- the controller ----

  private registration(): Registration {
    const { slot, threads, version } = this.options;
    const run = this.run;
    const identity = this.membership.identity;
    const oldest = run === undefined ? undefined : this.queue.oldestSequence(run.runId);
    return {
      protocol: PROTOCOL,
      host: hostname(),
      pid: process.pid,
      capacity: this.capacity,
      threads,
      version,
      incarnation: this.incarnation,
      ...(slot === undefined ? {} : { slot }),
      ...(run === undefined || identity === undefined
        ? {}
        : {
            running: {
              runId: run.runId,
              workerId: run.workerId,
              ...(oldest === undefined ? {} : { oldestUnacknowledged: oldest }),
            },
          }),
    };
  }

  private registered(identity: Registered): void {
    this.options.log(`registered as ${identity.workerId} with ${this.http.url}`);
    this.orders.reset();
    this.heartbeats.reset();
  }

  private checkHealth(lease: Lease): void {
    this.health = this.selfHealth.sample(this.run?.load ?? idleView(this.options.threads));
    this.metrics.observeHealth(this.health);
    if (this.run === undefined && this.queue.empty && lease.silentMs > UNREACHABLE_MS) {
      this.resolveEnd?.({
        kind: 'unreachable',
        why: `${this.http.url} has not answered for ${UNREACHABLE_MS / 1000} s`,
      });
    }
  }

  private onLeaseLost(): void {
    this.run?.stop('drain', 'lease-lost', 'the controller could not be reached for longer than the lease');
  }

  // ---- the end ----

  /** Lets the run drain, delivers everything, then ends. */
  private async retire(): Promise<void> {
    this.run?.stop('drain', 'stopped', 'the worker was asked to end');
    const { signal } = this.lifetime;
    while (this.run !== undefined && !signal.aborted) await pause(20, signal);
    await this.queue.delivered(signal);
    this.resolveEnd?.({ kind: 'stopped' });
  }

  /** Stops the run at once, delivers what it can within a short time, then ends. */
  private async cut(): Promise<void> {
    this.run?.stop('now', 'stopped', 'the worker was cut');
    const budget = AbortSignal.any([this.lifetime.signal, AbortSignal.timeout(LAST_BATCH_MS)]);
    while (this.run !== undefined && !budget.aborted) await pause(20, budget);
    await this.queue.delivered(budget);
    this.resolveEnd?.({ kind: 'stopped' });
  }
}

/** The load of a worker without a run. */
function idleView(threads: number): LoadView {
  return { batch: undefined, threads, spinning: false, urls: [], sources: 1 };
}

export interface WorkerOptions {
  readonly controllerUrl: string;
  /** PEM text of the authorities that an https controller's certificate must come from; default: the system's. */
  readonly controllerCa?: string;
  /** Where the controller has dialled us. */
  readonly turned?: TurnedConnections;
  /** Token of role `worker`; not needed where the controller is bound to loopback. */
  readonly token?: string;
  /** Preferred position in the order of allocation, from 1. */
  readonly slot?: number;
  /** Engine threads. */
  readonly threads: number;
  readonly maxClients?: number;
  readonly maxRate?: number;
  /** Where to serve Prometheus metrics; port 0 takes any free port. */
  readonly metrics?: { readonly host: string; readonly port: number };
  /** A file that the controller touches every second; the worker ends when that stops. */
  readonly leaseFile?: string;
  readonly version: string;
  readonly log: (text: string) => void;
  /** Called with each batch of measurements. */
  readonly onTelemetry?: (batch: Telemetry) => void;
}

interface WorkerSignals {
  /** End in good order: stop sending, wait for the answers, deliver the measurements. */
  readonly drain: AbortSignal;
  /** End now. The last measurements get two seconds. */
  readonly cut: AbortSignal;
}

export type WorkerEnd =
  | { readonly kind: 'stopped' }
  /** The controller does not answer, and there is nothing left to deliver. */
  | { readonly kind: 'unreachable'; readonly why: string }
  | { readonly kind: 'lease-stale'; readonly why: string }
  /** The controller does not accept this worker. */
  | { readonly kind: 'refused'; readonly why: string };
