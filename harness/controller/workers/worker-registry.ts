import {
  type Clock,
  type Health,
  type Heartbeat,
  PROTOCOL,
  type PreflightResult,
  type Registered,
  type Registration,
  type SessionsOpened,
} from '../../../client-sim/protocol/messages.js';
import type { Telemetry } from '../../../client-sim/protocol/telemetry.js';
import { ControllerError } from '../../log/errors.js';
import { newSecret } from '../../support/secret.js';
import { silenceLimitMs, type Timings } from '../timings.js';
import { OrderChannel } from './order-channel.js';

/** One worker as the controller knows it. Only the registry writes it. */
export interface Worker {
  readonly id: string;
  readonly token: string;
  readonly registration: Registration;
  /** The run whose token it has; undefined when it came by itself. */
  readonly startedFor: string | undefined;
  readonly orders: OrderChannel;
  readonly health: Health | undefined;
  readonly clock: Clock | undefined;
  /** The worker's reason for being saturated, during which it gets no new clients; undefined when it is not. */
  readonly saturatedBy: string | undefined;
  readonly lost: boolean;
  /** Epoch ms. */
  readonly lastHeardAt: number;
  /** The run it works for; undefined when it is idle. */
  readonly runListener: RunListener | undefined;
}

/** A run, as the registry calls it about the workers that were assigned to it. */
export interface RunListener {
  readonly runId: string;
  clock(worker: Worker): void;
  saturated(worker: Worker, reason: string): void;
  recovered(worker: Worker): void;
  lost(worker: Worker, silentMs: number): void;
  returned(worker: Worker): void;
  preflight(worker: Worker, result: PreflightResult): void;
  /** It has tried the sessions that open before the load. */
  opened(worker: Worker): void;
  /**
   * Resolves to the highest sequence up to which all batches are on the disk.
   * @param json the batch as it came
   */
  telemetry(worker: Worker, batch: Telemetry, json?: string): Promise<number>;
}

type Entry = { -readonly [Key in keyof Worker]: Worker[Key] };

/** A worker of an adopted run, restored from the log. */
interface KnownWorker {
  readonly id: string;
  readonly token: string;
  readonly registration: Registration;
  readonly startedFor: string | undefined;
  readonly clock: Clock | undefined;
}

/** The workers that have registered: who is idle, who works for which run, and who is lost. */
export class WorkerRegistry {
  private readonly workers = new Map<string, Entry>();
  private readonly timer: NodeJS.Timeout;
  private readonly arrivals = new Set<() => void>();
  private lastNumber = 0;
  private lastCheckAt: number;
  private _heartbeatTimeouts = 0;

  constructor(
    private readonly timings: Timings,
    private readonly now: () => number,
  ) {
    this.lastCheckAt = now();
    this.timer = setInterval(() => this.checkSilence(), timings.heartbeatMs / 4);
    this.timer.unref();
  }

  /** Only of workers that took part in a run. */
  get heartbeatTimeouts(): number {
    return this._heartbeatTimeouts;
  }

  all(): readonly Worker[] {
    return [...this.workers.values()];
  }

  /** @throws ControllerError WORKER_NOT_FOUND, after which the worker registers again */
  get(id: string): Worker {
    return this.entry(id);
  }

  /**
   * A worker that registers again (same incarnation, so the same process) keeps its id and token.
   * @param startedFor the run whose token it presented. The incarnation stands in the log, so it proves nothing alone.
   */
  register(registration: Registration, startedFor?: string): Registered {
    const known = [...this.workers.values()].find(
      (worker) => worker.registration.incarnation === registration.incarnation && worker.startedFor === startedFor,
    );
    const worker =
      known ?? this.add({ id: this.nextId(), token: newSecret(), registration, startedFor, clock: undefined });
    worker.registration = registration;
    this.noteMessage(worker);
    for (const arrived of [...this.arrivals]) arrived();
    return {
      protocol: PROTOCOL,
      workerId: worker.id,
      token: worker.token,
      heartbeatMs: this.timings.heartbeatMs,
      leaseMs: this.timings.leaseMs,
      now: this.now(),
    };
  }

  /** Adds a worker of an adopted run. It is lost when it does not report within `graceMs`. */
  restore(worker: KnownWorker, graceMs: number): Worker {
    const entry = this.add(worker, new OrderChannel(true));
    entry.lastHeardAt = this.now() + graceMs - silenceLimitMs(this.timings);
    const number = Number(worker.id.slice(1));
    if (Number.isInteger(number)) this.lastNumber = Math.max(this.lastNumber, number);
    return entry;
  }

  heartbeat(id: string, message: Heartbeat): void {
    const worker = this.entry(id);
    this.noteMessage(worker);
    if (message.clock) {
      worker.clock = message.clock;
      worker.runListener?.clock(worker);
    }
    if (message.health) this.updateHealth(worker, message.health);
  }

  /** @throws ControllerError RUN_OVER when the worker is idle or works for another run */
  async telemetry(id: string, batch: Telemetry, json?: string): Promise<number> {
    const worker = this.entry(id);
    this.noteMessage(worker);
    return this.listenerOf(worker, batch.runId).telemetry(worker, batch, json);
  }

  preflight(id: string, result: PreflightResult): void {
    const worker = this.entry(id);
    this.noteMessage(worker);
    this.listenerOf(worker, result.runId).preflight(worker, result);
  }

  opened(id: string, { runId }: SessionsOpened): void {
    const worker = this.entry(id);
    this.noteMessage(worker);
    this.listenerOf(worker, runId).opened(worker);
  }

  assignTo(id: string, runListener: RunListener): Worker {
    const worker = this.entry(id);
    worker.runListener = runListener;
    return worker;
  }

  /** The run is over: its workers are idle again, and lost ones are forgotten. */
  release(runId: string): void {
    for (const worker of this.workers.values()) {
      if (worker.runListener?.runId !== runId) continue;
      worker.runListener = undefined;
      worker.orders.forget();
      if (worker.lost) this.forget(worker);
    }
  }

  /** Forgets the idle workers of these processes, which have ended. */
  forgetPrograms(pids: ReadonlySet<number>): void {
    for (const worker of this.workers.values())
      if (worker.runListener === undefined && pids.has(worker.registration.pid)) this.forget(worker);
  }

  /** Calls the listener whenever a worker registers. Returns the function that unsubscribes it. */
  onArrival(listener: () => void): () => void {
    this.arrivals.add(listener);
    return () => void this.arrivals.delete(listener);
  }

  close(): void {
    clearInterval(this.timer);
    for (const worker of this.workers.values()) worker.orders.close();
  }

  private add(known: KnownWorker, orders = new OrderChannel()): Entry {
    const entry: Entry = {
      ...known,
      orders,
      health: undefined,
      saturatedBy: undefined,
      lost: false,
      lastHeardAt: this.now(),
      runListener: undefined,
    };
    this.workers.set(entry.id, entry);
    return entry;
  }

  private nextId(): string {
    this.lastNumber += 1;
    return `w${this.lastNumber}`;
  }

  private entry(id: string): Entry {
    const worker = this.workers.get(id);
    if (worker === undefined)
      throw new ControllerError(
        'WORKER_NOT_FOUND',
        `no worker ${id} is registered here`,
        'Register again with POST /workers.',
      );
    return worker;
  }

  private listenerOf(worker: Worker, runId: string): RunListener {
    if (worker.runListener?.runId === runId) return worker.runListener;
    throw new ControllerError(
      'RUN_OVER',
      `run ${runId} is over or was never assigned to worker ${worker.id}`,
      'Discard the data of that run.',
    );
  }

  private noteMessage(worker: Entry): void {
    worker.lastHeardAt = this.now();
    if (!worker.lost) return;
    worker.lost = false;
    worker.runListener?.returned(worker);
  }

  private updateHealth(worker: Entry, health: Health): void {
    const before = worker.saturatedBy;
    worker.health = health;
    worker.saturatedBy = health.saturated ? (health.reason ?? 'no reason given') : undefined;
    if (worker.saturatedBy !== undefined && before === undefined)
      worker.runListener?.saturated(worker, worker.saturatedBy);
    if (worker.saturatedBy === undefined && before !== undefined) worker.runListener?.recovered(worker);
  }

  private checkSilence(): void {
    const now = this.now();
    // When this process itself was held up (a suspended laptop, a starved core), heartbeats wait in its socket buffers:
    // the time during which it could not read them does not count as silence.
    const heldUpMs = Math.max(0, now - this.lastCheckAt - this.timings.heartbeatMs / 2);
    this.lastCheckAt = now;
    for (const worker of this.workers.values()) {
      worker.lastHeardAt += heldUpMs;
      const silentMs = now - worker.lastHeardAt;
      if (worker.lost || silentMs <= silenceLimitMs(this.timings)) continue;
      worker.lost = true;
      if (worker.runListener) {
        this._heartbeatTimeouts += 1;
        worker.runListener.lost(worker, silentMs);
      } else {
        // Idle workers end without a word, such as those of a service that is scaled to rest.
        this.forget(worker);
      }
    }
  }

  private forget(worker: Worker): void {
    worker.orders.close();
    this.workers.delete(worker.id);
  }
}
