import type { Worker } from 'node:worker_threads';
import { Metronome } from '../load/metronome.js';
import { finestPacing, type Pacing } from '../load/pacer.js';
import type { Batch } from '../measure/batch.js';
import type { AdjustOrder, AssignmentOrder } from '../protocol/messages.js';
import type { StopMode } from './engine.js';
import { limitShare } from './limit-share.js';
import { partition } from './partition.js';
import { SnapshotQueue } from './snapshot-queue.js';
import type { SpareThreads } from './spare-threads.js';
import type { FromThread, ThreadSpec, ToThread } from './thread-messages.js';
import { waysOf } from './ways.js';

export interface CrewEvents {
  /** All threads have reached the end of an interval. */
  onBatch(batch: Batch): void;
  /** A thread has stopped its load because its share of a limit is used up. */
  onLimit(problem: string): void;
  /** All threads have ended. @param last what was left of their measurements @param problem when one of them broke */
  onEnded(last: Batch, problem: string | undefined): void;
}

export interface CrewOptions {
  /** How many at most; less where there are fewer clients. */
  readonly threads: number;
  readonly spare: SpareThreads;
  readonly startHrMs: number;
  /** How far that may be off, milliseconds. */
  readonly clockErrorMs: number;
}

/** The engine threads of one run, and the merging of what they measure. */
export class EngineCrew {
  readonly pacing: Pacing;
  private readonly _threads: Worker[] = [];
  private readonly snapshots: SnapshotQueue;
  private readonly metronome: Metronome | undefined;
  private readonly done = new Set<number>();
  private problem: string | undefined;

  constructor(
    private readonly order: AssignmentOrder,
    options: CrewOptions,
    private readonly events: CrewEvents,
  ) {
    this.pacing = finestPacing(order.plan.profiles.map((profile) => profile.pacing));
    this.metronome = this.pacing === 'metronome' ? new Metronome() : undefined;
    const parts = partition(order.plan.profiles, order.slots, options.threads).filter((part) => part.length > 0);
    this.snapshots = new SnapshotQueue(order.plan, parts.length);
    const ways = waysOf(order);
    parts.forEach((places) => {
      this.start(options.spare.take(), {
        plan: order.plan,
        ways,
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
    partition(order.plan.profiles, order.slots, Math.max(1, this._threads.length)).forEach((places, number) => {
      this.tell(number, { kind: 'add', places, joinMs: order.joinMs });
    });
  }

  adjust(order: AdjustOrder): void {
    this._threads.forEach((_, number) => this.tell(number, { kind: 'adjust', order }));
  }

  stop(mode: StopMode): void {
    this._threads.forEach((_, number) => this.tell(number, { kind: 'stop', mode }));
  }

  /** Ends the threads without waiting for anything. */
  async destroy(): Promise<void> {
    await Promise.all([...this._threads.map((thread) => thread.terminate()), this.metronome?.stop()]);
  }

  private tell(number: number, message: ToThread): void {
    this._threads[number]?.postMessage(message);
  }

  private start(thread: Worker, spec: ThreadSpec): void {
    const number = this._threads.push(thread) - 1;
    thread.on('message', (message: FromThread) => this.hear(number, message));
    thread.on('error', (error) =>
      this.broke(`engine thread ${number} of run ${this.order.runId} broke: ${error.stack ?? error.message}`),
    );
    thread.on('exit', () => this.leave(number));
    this.tell(number, { kind: 'start', spec });
  }

  private hear(number: number, message: FromThread): void {
    switch (message.kind) {
      case 'snapshot':
        this.snapshots.add(number, message.snapshot);
        this.give();
        return;
      case 'limit':
        this.events.onLimit(message.problem);
        return;
      case 'finished':
        this.snapshots.add(number, message.snapshot);
        this.leave(number);
        return;
    }
  }

  /** A thread has nothing more to say. What sockets or timers it may still have must not hold up the last batch. */
  private leave(number: number): void {
    if (this.done.has(number)) return;
    this.done.add(number);
    void this._threads[number]?.terminate();
    this.snapshots.finish(number);
    this.give();
    if (this.done.size === this._threads.length) void this.end();
  }

  private give(): void {
    for (let batch = this.snapshots.next(); batch !== undefined; batch = this.snapshots.next())
      this.events.onBatch(batch);
  }

  /** The others are cut: a run with a part of its load missing measures something else. */
  private broke(problem: string): void {
    this.problem ??= problem;
    this.stop('now');
  }

  private async end(): Promise<void> {
    await this.metronome?.stop();
    this.events.onEnded(this.snapshots.rest(), this.problem);
  }
}
