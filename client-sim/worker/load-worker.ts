import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { connectionCapacity } from '../measure/connection-capacity.js';
import { MetricsServer } from '../measure/metrics-server.js';
import { SelfHealth } from '../measure/self-health.js';
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
import { SpareThreads } from '../threads/engine-threads.js';
import { ControllerHttp, ControllerUnreachable } from './controller-http.js';
import { Heartbeats } from './heartbeats.js';
import { Lease, watchLeaseFile } from './lease.js';
import { Membership } from './membership.js';
import { OrderStream } from './order-stream.js';
import { pause, Retry } from './retry.js';
import { TelemetryQueue } from './telemetry-queue.js';
import { type EndReason, WorkerRun } from './worker-run.js';

const HEALTH_MS = 1_000;
const DEFAULT_LEASE_MS = 10_000;
/** An idle worker whose controller has been away for so long is of no use to anybody. */
const ALONE_MS = 30_000;
const RATE_PER_THREAD = 100_000;
const PREFLIGHT_TIMEOUT_MS = 10_000;
/** How long a cut worker may take to deliver its last batch. */
const LAST_BATCH_MS = 2_000;
/** Runs that are over here, so that repeated orders do not start them again. */
const REMEMBERED_RUNS = 100;

/**
 * A load generator for whoever is at the other end of the URL: registers, does what it is ordered, reports what it
 * measured.
 */
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
  private readonly life = new AbortController();
  private health: Health;
  private clock: Clock | undefined;
  private run: WorkerRun | undefined;
  private readonly pastRuns: string[] = [];
  private preflight: string | undefined;
  private end: ((end: WorkerEnd) => void) | undefined;

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
    this.health = this.selfHealth.sample({
      batch: undefined,
      threads: options.threads,
      spinning: false,
      urls: [],
      sources: 1,
    });
    this.http = new ControllerHttp(options.controllerUrl);
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
      onClock: (clock) => (this.clock = clock),
    });
    this.queue = new TelemetryQueue(this.membership, options.log);
  }

  /** Works until told to end, or until there is nobody left to work for. Everything is closed when it resolves. */
  async work(signals: WorkerSignals): Promise<WorkerEnd> {
    const { leaseFile, metrics, log } = this.options;
    const server =
      metrics === undefined ? undefined : await MetricsServer.start(this.metrics.registry, metrics.host, metrics.port);
    if (server !== undefined) log(`metrics on port ${server.port}`);
    const ended = new Promise<WorkerEnd>((resolve) => (this.end = resolve));
    const lease = new Lease(
      () => this.membership.silentMs,
      () => this.membership.identity?.leaseMs ?? DEFAULT_LEASE_MS,
      () => this.onLeaseLost(),
    );
    const leaseFileWatch =
      leaseFile === undefined
        ? undefined
        : watchLeaseFile(leaseFile, (why) => this.end?.({ kind: 'lease-stale', why }));
    const healthTimer = setInterval(() => this.look(lease), HEALTH_MS);
    signals.drain.addEventListener('abort', () => void this.retire(), { once: true });
    signals.cut.addEventListener('abort', () => void this.cut(), { once: true });
    if (signals.drain.aborted) void this.retire();
    const loops = Promise.all([
      this.heartbeats.run(this.life.signal),
      this.orders.run(this.life.signal),
      this.queue.run(this.life.signal),
    ]).catch((error: unknown) => {
      if (!this.life.signal.aborted)
        this.end?.({ kind: 'refused', why: error instanceof Error ? error.message : String(error) });
    });
    const end = await ended;
    clearInterval(healthTimer);
    lease.close();
    leaseFileWatch?.close();
    this.life.abort();
    this.http.close();
    await Promise.all([loops, this.run?.destroy(), this.spare.close(), server?.close()]);
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
      case 'adjust':
        if (this.run?.runId === order.runId) this.run.adjust(order);
        return;
      case 'stop':
        if (this.run?.runId === order.runId) this.run.stop(order.mode, 'stopped');
        return;
    }
  }

  private assign(order: AssignmentOrder): void {
    if (this.pastRuns.includes(order.runId)) return;
    if (this.run !== undefined && this.run.runId !== order.runId) {
      this.options.log(`run ${order.runId} takes the place of run ${this.run.runId}, which is cut`);
      void this.run.destroy();
      this.forget(this.run);
    }
    this.run ??= this.begin(order);
    this.run.assign(order);
  }

  private begin(order: AssignmentOrder): WorkerRun {
    this.options.log(`run ${order.runId}: starts`);
    const run: WorkerRun = new WorkerRun(order, {
      threads: this.options.threads,
      spare: this.spare,
      maxClients: this.capacity.clients,
      clockOffsetMs: this.clock?.offsetMs ?? 0,
      clockErrorMs: this.clock?.errorMs ?? 0,
      health: () => this.health,
      onTelemetry: (batch) => this.queue.push(batch),
      onBatch: (batch) => this.metrics.observe(batch, order.plan),
      onEnded: (reason, problem) => this.onRunEnded(run, reason, problem),
    });
    return run;
  }

  private onRunEnded(run: WorkerRun, reason: EndReason, problem: string | undefined): void {
    this.options.log(`run ${run.runId}: ${reason}${problem === undefined ? '' : `: ${problem}`}`);
    this.forget(run);
  }

  private forget(run: WorkerRun): void {
    this.pastRuns.push(run.runId);
    if (this.pastRuns.length > REMEMBERED_RUNS) this.pastRuns.shift();
    if (this.run === run) this.run = undefined;
    this.spare.refill();
  }

  /** Tried once a run; delivered until it arrives or the controller says that nobody waits for it. */
  private async answerPreflight(order: PreflightOrder): Promise<void> {
    if (this.preflight === order.runId) return;
    this.preflight = order.runId;
    const body = JSON.stringify(await runPreflight(order));
    const retry = new Retry(HEALTH_MS);
    const { signal } = this.life;
    while (!signal.aborted) {
      try {
        const { status } = await this.membership.call('preflight', body, PREFLIGHT_TIMEOUT_MS, signal);
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
    const oldest = run === undefined ? undefined : this.queue.oldest(run.runId);
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

  private look(lease: Lease): void {
    this.health = this.selfHealth.sample(
      this.run?.load ?? { batch: undefined, threads: this.options.threads, spinning: false, urls: [], sources: 1 },
    );
    this.metrics.observeHealth(this.health);
    if (this.run === undefined && this.queue.empty && lease.silentMs > ALONE_MS) {
      this.end?.({ kind: 'alone', why: `${this.http.url} has not answered for ${ALONE_MS / 1000} s` });
    }
  }

  private onLeaseLost(): void {
    this.run?.stop('drain', 'lease-lost', 'the controller could not be reached for longer than the lease');
  }

  // ---- the end ----

  /** Lets the run drain, delivers everything, ends. */
  private async retire(): Promise<void> {
    this.run?.stop('drain', 'stopped', 'the worker was told to end');
    const { signal } = this.life;
    while (this.run !== undefined && !signal.aborted) await pause(20, signal);
    await this.queue.drained(signal);
    this.end?.({ kind: 'stopped' });
  }

  private async cut(): Promise<void> {
    this.run?.stop('now', 'stopped', 'the worker was cut');
    const budget = AbortSignal.any([this.life.signal, AbortSignal.timeout(LAST_BATCH_MS)]);
    while (this.run !== undefined && !budget.aborted) await pause(20, budget);
    await this.queue.drained(budget);
    this.end?.({ kind: 'stopped' });
  }
}

export interface WorkerOptions {
  readonly controllerUrl: string;
  /** Of role `worker`; not needed where the controller is bound to loopback. */
  readonly token?: string;
  /** Wished place in the order of allocation, from 1. */
  readonly slot?: number;
  /** Engine threads. */
  readonly threads: number;
  readonly maxClients?: number;
  readonly maxRate?: number;
  /** Where to serve Prometheus; port 0 takes any free one. */
  readonly metrics?: { readonly host: string; readonly port: number };
  /** A file that the controller keeps touching; the worker ends when it no longer does. */
  readonly leaseFile?: string;
  readonly version: string;
  readonly log: (text: string) => void;
}

interface WorkerSignals {
  /** Finish: stop sending, await the answers, deliver the measurements, end. */
  readonly drain: AbortSignal;
  /** End now; the last measurements get two seconds. */
  readonly cut: AbortSignal;
}

export type WorkerEnd =
  | { readonly kind: 'stopped' }
  /** Nobody at the other end, and nothing left to deliver. */
  | { readonly kind: 'alone'; readonly why: string }
  | { readonly kind: 'lease-stale'; readonly why: string }
  /** The controller does not want this worker. */
  | { readonly kind: 'refused'; readonly why: string };
