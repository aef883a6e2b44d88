import { Worker } from 'node:worker_threads';
import type { StopMode } from '../engine/engine.js';
import { Metronome } from '../load/metronome.js';
import { finestPacing, type Pacing, pacingFor } from '../load/pacer.js';
import type { Batch } from '../measure/batch.js';
import { endpointsFor } from '../protocol/endpoints.js';
import { LOAD_IDS, shareOfIds } from '../protocol/id-ranges.js';
import type { AdjustOrder, AssignmentOrder } from '../protocol/messages.js';
import { divideClients, limitShare, pacedRate } from './divide-clients.js';
import { SnapshotQueue } from './snapshot-queue.js';
import type { FromThread, ProfileRoute, ThreadSpec, ToThread } from './thread-messages.js';

interface EngineThreadsEvents {
  /** All threads have reached the end of an interval. */
  onBatch(batch: Batch): void;
  /** All threads have tried the sessions that were to open before the start. */
  onOpened(): void;
  /** A line for the worker's log. */
  onLog(line: string): void;
  /** A thread has stopped its load because its share of a limit is used up. */
  onLimit(problem: string): void;
  /** All threads have ended. @param last the rest of their measurements @param problem set when one of them broke */
  onEnded(last: Batch, problem: string | undefined): void;
}

interface EngineThreadsOptions {
  /** At most this many threads; fewer where there are fewer clients. */
  readonly threads: number;
  readonly spare: SpareThreads;
  readonly startHrMs: number;
  /** How far that may differ from the controller's start, milliseconds. */
  readonly clockErrorMs: number;
}

/** The engine threads of one run. Merges their snapshots into batches. */
export class EngineThreads {
  readonly pacing: Pacing;
  private readonly workers: Worker[] = [];
  private readonly snapshots: SnapshotQueue;
  private readonly metronome: Metronome | undefined;
  private readonly done = new Set<number>();
  private readonly opened = new Set<number>();
  private problem: string | undefined;

  constructor(
    private readonly order: AssignmentOrder,
    options: EngineThreadsOptions,
    private readonly events: EngineThreadsEvents,
  ) {
    const rate = pacedRate(order.plan, order.slots);
    this.pacing = finestPacing(order.plan.profiles.map(({ pacing }) => pacingFor(pacing, rate)));
    const parts = divideClients(order.plan.profiles, order.slots, options.threads).filter((part) => part.length > 0);
    this.metronome = this.pacing === 'metronome' ? new Metronome(parts.length) : undefined;
    this.snapshots = new SnapshotQueue(order.plan, parts.length);
    const routes = routesByProfile(order);
    for (const [part, clients] of parts.entries()) {
      this.start(options.spare.take(), {
        plan: order.plan,
        routes,
        clients,
        joinMs: order.joinMs,
        ids: shareOfIds(order.ids ?? LOAD_IDS, part, part + 1, parts.length),
        startHrMs: options.startHrMs,
        openFirst: order.openFirst === true,
        clockErrorMs: options.clockErrorMs,
        limits: limitShare(order.plan, clients),
        pacing: this.pacing,
        ticks: this.metronome?.ticks,
        number: this.workers.length,
      });
    }
    if (parts.length === 0) queueMicrotask(() => void this.end());
  }

  get threads(): number {
    return this.workers.length;
  }

  /** Divides the slots of a lost worker among the threads. */
  add(order: AssignmentOrder): void {
    const parts = divideClients(order.plan.profiles, order.slots, Math.max(1, this.workers.length));
    for (const [number, clients] of parts.entries()) this.post(number, { kind: 'add', clients, joinMs: order.joinMs });
  }

  /** The run starts then, and not when it was said to. */
  begin(startHrMs: number): void {
    this.postToAll({ kind: 'begin', startHrMs });
  }

  adjust(order: AdjustOrder): void {
    this.postToAll({ kind: 'adjust', order });
  }

  stop(mode: StopMode): void {
    this.postToAll({ kind: 'stop', mode });
  }

  /** Ends the threads without waiting for anything. */
  async destroy(): Promise<void> {
    await Promise.all([...this.workers.map((worker) => worker.terminate()), this.metronome?.stop()]);
  }

  private post(number: number, message: ToThread): void {
    this.workers[number]?.postMessage(message);
  }

  private postToAll(message: ToThread): void {
    for (const worker of this.workers) worker.postMessage(message);
  }

  private start(worker: Worker, spec: ThreadSpec): void {
    const number = this.workers.push(worker) - 1;
    worker.on('message', (message: FromThread) => this.onMessage(number, message));
    worker.on('error', (error) =>
      this.onThreadError(`engine thread ${number} of run ${this.order.runId} broke: ${error.stack ?? error.message}`),
    );
    worker.on('exit', () => this.onThreadEnded(number));
    this.post(number, { kind: 'start', spec });
  }

  private onMessage(number: number, message: FromThread): void {
    switch (message.kind) {
      case 'snapshot':
        this.snapshots.add(number, message.snapshot);
        this.deliverBatches();
        return;
      case 'opened':
        this.opened.add(number);
        if (this.opened.size === this.workers.length) this.events.onOpened();
        return;
      case 'log':
        this.events.onLog(message.line);
        return;
      case 'limit':
        this.events.onLimit(message.problem);
        return;
      case 'finished':
        this.snapshots.add(number, message.snapshot);
        this.onThreadEnded(number);
        return;
    }
  }

  /** The thread delivers nothing more. Terminated, it cannot delay the last batch by a socket or timer that it left. */
  private onThreadEnded(number: number): void {
    if (this.done.has(number)) return;
    this.done.add(number);
    void this.workers[number]?.terminate();
    this.snapshots.finish(number);
    this.deliverBatches();
    if (this.done.size === this.workers.length) void this.end();
  }

  private deliverBatches(): void {
    for (let batch = this.snapshots.next(); batch !== undefined; batch = this.snapshots.next())
      this.events.onBatch(batch);
  }

  /** Cuts the other threads too: a run with part of its load missing measures something else. */
  private onThreadError(problem: string): void {
    this.problem ??= problem;
    this.stop('now');
  }

  private async end(): Promise<void> {
    await this.metronome?.stop();
    this.events.onEnded(this.snapshots.rest(), this.problem);
  }
}

/**
 * Engine threads that have loaded their code and wait for a run: starting one takes 50 ms on a quiet machine and a
 * second on a busy one, which would be missing at the beginning of the load.
 */
export class SpareThreads {
  private readonly spare: Worker[] = [];
  private closed = false;

  constructor(private readonly count: number) {
    this.fill();
  }

  /** A thread that waits for its `start` message. It belongs to the caller now. */
  take(): Worker {
    return this.spare.shift() ?? startWorker();
  }

  /** Replaces the threads taken. To be called when a run is over, so that it does not disturb one. */
  refill(): void {
    if (!this.closed) this.fill();
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.spare.splice(0).map((worker) => worker.terminate()));
  }

  private fill(): void {
    while (this.spare.length < this.count) this.spare.push(startWorker());
  }
}

function startWorker(): Worker {
  return new Worker(new URL('./engine-thread.js', import.meta.url));
}

/**
 * The route of each profile, with those of its endpoints that the profile's transport can use.
 * @throws RangeError when the order has routes, but none for some profile
 */
function routesByProfile(
  order: Pick<AssignmentOrder, 'plan' | 'endpoints' | 'pinned' | 'routes'>,
): readonly ProfileRoute[] {
  const { plan, endpoints, pinned, routes } = order;
  return plan.profiles.map(({ name, transport }, index) => {
    if (routes === undefined) return { endpoints: endpointsFor(endpoints, transport), pinned };
    const route = routes.find(({ profiles }) => profiles.includes(index));
    if (route === undefined) throw new RangeError(`the assignment has no route for profile ${name}`);
    return { endpoints: endpointsFor(route.endpoints, transport), pinned: route.pinned };
  });
}
