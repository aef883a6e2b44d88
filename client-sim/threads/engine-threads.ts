import { Worker } from 'node:worker_threads';
import type { StopMode } from '../engine/engine.js';
import { Metronome } from '../load/metronome.js';
import { finestPacing, type Pacing } from '../load/pacer.js';
import type { Batch } from '../measure/batch.js';
import { endpointsFor } from '../protocol/endpoints.js';
import type { AdjustOrder, AssignmentOrder } from '../protocol/messages.js';
import { divideClients, limitShare } from './divide-clients.js';
import { SnapshotQueue } from './snapshot-queue.js';
import type { FromThread, ProfileRoute, ThreadSpec, ToThread } from './thread-messages.js';

interface EngineThreadsEvents {
  /** All threads have reached the end of an interval. */
  onBatch(batch: Batch): void;
  /** A thread has stopped its load because its share of a limit is used up. */
  onLimit(problem: string): void;
  /** All threads have ended. @param last what was left of their measurements @param problem when one of them broke */
  onEnded(last: Batch, problem: string | undefined): void;
}

interface EngineThreadsOptions {
  /** How many at most; less where there are fewer clients. */
  readonly threads: number;
  readonly spare: SpareThreads;
  readonly startHrMs: number;
  /** How far that may be off, milliseconds. */
  readonly clockErrorMs: number;
}

/** The engine threads of one run, and the merging of what they measure. */
export class EngineThreads {
  readonly pacing: Pacing;
  private readonly _threads: Worker[] = [];
  private readonly snapshots: SnapshotQueue;
  private readonly metronome: Metronome | undefined;
  private readonly done = new Set<number>();
  private problem: string | undefined;

  constructor(
    private readonly order: AssignmentOrder,
    options: EngineThreadsOptions,
    private readonly events: EngineThreadsEvents,
  ) {
    this.pacing = finestPacing(order.plan.profiles.map((profile) => profile.pacing));
    this.metronome = this.pacing === 'metronome' ? new Metronome() : undefined;
    const parts = divideClients(order.plan.profiles, order.slots, options.threads).filter((part) => part.length > 0);
    this.snapshots = new SnapshotQueue(order.plan, parts.length);
    const routes = routesByProfile(order);
    parts.forEach((places) => {
      this.start(options.spare.take(), {
        plan: order.plan,
        routes,
        places,
        joinMs: order.joinMs,
        startHrMs: options.startHrMs,
        clockErrorMs: options.clockErrorMs,
        limits: limitShare(order.plan, places),
        pacing: this.pacing,
        ticks: this.metronome?.ticks,
      });
    });
    if (parts.length === 0) queueMicrotask(() => void this.end());
  }

  get threads(): number {
    return this._threads.length;
  }

  /** Slots of a lost worker, dealt to the threads there are. */
  add(order: AssignmentOrder): void {
    divideClients(order.plan.profiles, order.slots, Math.max(1, this._threads.length)).forEach((places, number) => {
      this.post(number, { kind: 'add', places, joinMs: order.joinMs });
    });
  }

  adjust(order: AdjustOrder): void {
    this._threads.forEach((_, number) => this.post(number, { kind: 'adjust', order }));
  }

  stop(mode: StopMode): void {
    this._threads.forEach((_, number) => this.post(number, { kind: 'stop', mode }));
  }

  /** Ends the threads without waiting for anything. */
  async destroy(): Promise<void> {
    await Promise.all([...this._threads.map((thread) => thread.terminate()), this.metronome?.stop()]);
  }

  private post(number: number, message: ToThread): void {
    this._threads[number]?.postMessage(message);
  }

  private start(thread: Worker, spec: ThreadSpec): void {
    const number = this._threads.push(thread) - 1;
    thread.on('message', (message: FromThread) => this.onMessage(number, message));
    thread.on('error', (error) =>
      this.onThreadError(`engine thread ${number} of run ${this.order.runId} broke: ${error.stack ?? error.message}`),
    );
    thread.on('exit', () => this.threadEnded(number));
    this.post(number, { kind: 'start', spec });
  }

  private onMessage(number: number, message: FromThread): void {
    switch (message.kind) {
      case 'snapshot':
        this.snapshots.add(number, message.snapshot);
        this.deliverBatches();
        return;
      case 'limit':
        this.events.onLimit(message.problem);
        return;
      case 'finished':
        this.snapshots.add(number, message.snapshot);
        this.threadEnded(number);
        return;
    }
  }

  /** A thread has nothing more to say. What sockets or timers it may still have must not hold up the last batch. */
  private threadEnded(number: number): void {
    if (this.done.has(number)) return;
    this.done.add(number);
    void this._threads[number]?.terminate();
    this.snapshots.finish(number);
    this.deliverBatches();
    if (this.done.size === this._threads.length) void this.end();
  }

  private deliverBatches(): void {
    for (let batch = this.snapshots.next(); batch !== undefined; batch = this.snapshots.next())
      this.events.onBatch(batch);
  }

  /** The others are cut: a run with a part of its load missing measures something else. */
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

  /** One thread that waits for its `start` message; it is the caller's now. */
  take(): Worker {
    return this.spare.shift() ?? start();
  }

  /** Makes up for the threads taken; called when a run is over, so that it does not disturb one. */
  refill(): void {
    if (!this.closed) this.fill();
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.spare.splice(0).map((thread) => thread.terminate()));
  }

  private fill(): void {
    while (this.spare.length < this.count) this.spare.push(start());
  }
}

function start(): Worker {
  return new Worker(new URL('./engine-thread.js', import.meta.url));
}

/**
 * By profile: the route that names it, or the one way of all; the endpoints that its transport can use. @throws
 * RangeError when there are routes and a profile is in none
 */
function routesByProfile(
  order: Pick<AssignmentOrder, 'plan' | 'endpoints' | 'pinned' | 'routes'>,
): readonly ProfileRoute[] {
  const { plan, endpoints, pinned, routes } = order;
  return plan.profiles.map(({ name, transport }, index) => {
    if (routes === undefined) return { endpoints: endpointsFor(endpoints, transport), pinned };
    const route = routes.find(({ profiles }) => profiles.includes(index));
    if (route === undefined) throw new RangeError(`no route of the assignment is that of profile ${name}`);
    return { endpoints: endpointsFor(route.endpoints, transport), pinned: route.pinned };
  });
}
