import { randomBytes, timingSafeEqual } from 'node:crypto';
import {
  type Clock,
  type Health,
  type Heartbeat,
  PROTOCOL,
  type PreflightResult,
  type Registered,
  type Registration,
} from '../../../client-sim/protocol/messages.js';
import type { Telemetry } from '../../../client-sim/protocol/telemetry.js';
import { ControllerError } from '../../log/errors.js';
import { silenceLimitMs, type Timings } from '../timings.js';
import { OrderChannel } from './order-channel.js';

/** One worker as the controller knows it. Only the registry writes it. */
export interface Worker {
  readonly id: string;
  readonly token: string;
  readonly registration: Registration;
  readonly orders: OrderChannel;
  readonly health: Health | undefined;
  readonly clock: Clock | undefined;
  /** In its own words, what is at its limit; it gets no new clients then. Undefined: it is fit. */
  readonly saturatedBy: string | undefined;
  readonly lost: boolean;
  /** Epoch ms. */
  readonly lastHeardAt: number;
  /** The run it works for; undefined: idle. */
  readonly runListener: RunListener | undefined;
}

/** What a run wants to hear of the workers it has taken. */
export interface RunListener {
  readonly runId: string;
  clock(worker: Worker): void;
  saturated(worker: Worker, reason: string): void;
  recovered(worker: Worker): void;
  lost(worker: Worker, silentMs: number): void;
  returned(worker: Worker): void;
  preflight(worker: Worker, result: PreflightResult): void;
  /** Resolves to the highest sequence without a gap that is safe on the disk. */
  telemetry(worker: Worker, batch: Telemetry): Promise<number>;
}

type Entry = { -readonly [Key in keyof Worker]: Worker[Key] };

/** What a worker may find on its return to a controller that was restarted. */
interface KnownWorker {
  readonly id: string;
  readonly token: string;
  readonly registration: Registration;
  readonly clock: Clock | undefined;
}

export class WorkerRegistry {
  private readonly workers = new Map<string, Entry>();
  private readonly watch: NodeJS.Timeout;
  private readonly arrivals = new Set<() => void>();
  private lastNumber = 0;
  private lastLookAt: number;
  private _heartbeatTimeouts = 0;

  constructor(
    private readonly timings: Timings,
    private readonly now: () => number,
  ) {
    this.lastLookAt = now();
    this.watch = setInterval(() => this.look(), timings.heartbeatMs / 4);
    this.watch.unref();
  }

  get heartbeatTimeouts(): number {
    return this._heartbeatTimeouts;
  }

  all(): readonly Worker[] {
    return [...this.workers.values()];
  }

  /** @throws ControllerError WORKER_NOT_FOUND: the worker registers again */
  get(id: string): Worker {
    return this.entry(id);
  }

  /** A worker that is known (same incarnation: the same process) keeps its name and token. */
  register(registration: Registration): Registered {
    const known = [...this.workers.values()].find(
      (worker) => worker.registration.incarnation === registration.incarnation,
    );
    const worker =
      known ??
      this.add({ id: this.nextId(), token: randomBytes(24).toString('base64url'), registration, clock: undefined });
    worker.registration = registration;
    this.heard(worker);
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

  /** Enters a worker of a run that is being adopted; it has until `graceMs` from now to be heard. */
  restore(worker: KnownWorker, graceMs: number): Worker {
    const entry = this.add(worker, new OrderChannel(true));
    entry.lastHeardAt = this.now() + graceMs - silenceLimitMs(this.timings);
    const number = Number(worker.id.slice(1));
    if (Number.isInteger(number)) this.lastNumber = Math.max(this.lastNumber, number);
    return entry;
  }

  heartbeat(id: string, message: Heartbeat): void {
    const worker = this.entry(id);
    this.heard(worker);
    if (message.clock) {
      worker.clock = message.clock;
      worker.runListener?.clock(worker);
    }
    if (message.health) this.judge(worker, message.health);
  }

  /** @throws ControllerError RUN_OVER when the worker has no run, or the batch is of another one */
  async telemetry(id: string, batch: Telemetry): Promise<number> {
    const worker = this.entry(id);
    this.heard(worker);
    return this.runListener(worker, batch.runId).telemetry(worker, batch);
  }

  preflight(id: string, result: PreflightResult): void {
    const worker = this.entry(id);
    this.heard(worker);
    this.runListener(worker, result.runId).preflight(worker, result);
  }

  holdsToken(id: string, token: string): boolean {
    const worker = this.workers.get(id);
    if (worker === undefined) return false;
    const [given, held] = [Buffer.from(token), Buffer.from(worker.token)];
    return given.length === held.length && timingSafeEqual(given, held);
  }

  assignTo(id: string, runListener: RunListener): Worker {
    const worker = this.entry(id);
    worker.runListener = runListener;
    return worker;
  }

  /** The run is over: its workers are idle again; those that are lost are forgotten. */
  release(runId: string): void {
    for (const worker of this.workers.values()) {
      if (worker.runListener?.runId !== runId) continue;
      worker.runListener = undefined;
      worker.orders.forget();
      if (worker.lost) this.forget(worker);
    }
  }

  /** The processes behind these workers are ended: nobody is to wait for them, or give them work. */
  forgetPrograms(pids: ReadonlySet<number>): void {
    for (const worker of this.workers.values())
      if (worker.runListener === undefined && pids.has(worker.registration.pid)) this.forget(worker);
  }

  /** Called whenever a worker registers. Returns the undo. */
  onArrival(listener: () => void): () => void {
    this.arrivals.add(listener);
    return () => void this.arrivals.delete(listener);
  }

  close(): void {
    clearInterval(this.watch);
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

  private runListener(worker: Worker, runId: string): RunListener {
    if (worker.runListener?.runId === runId) return worker.runListener;
    throw new ControllerError(
      'RUN_OVER',
      `run ${runId} is over or was never given to worker ${worker.id}`,
      'Drop what is left of it.',
    );
  }

  private heard(worker: Entry): void {
    worker.lastHeardAt = this.now();
    if (!worker.lost) return;
    worker.lost = false;
    worker.runListener?.returned(worker);
  }

  private judge(worker: Entry, health: Health): void {
    const was = worker.saturatedBy;
    worker.health = health;
    worker.saturatedBy = health.saturated ? (health.reason ?? 'it gives no reason') : undefined;
    if (worker.saturatedBy !== undefined && was === undefined)
      worker.runListener?.saturated(worker, worker.saturatedBy);
    if (worker.saturatedBy === undefined && was !== undefined) worker.runListener?.recovered(worker);
  }

  private look(): void {
    const now = this.now();
    // When this process itself was held up (a suspended laptop, a starved core), the heartbeats are in its socket
    // buffers: the time it could not listen is not the workers' silence.
    const heldUpMs = Math.max(0, now - this.lastLookAt - this.timings.heartbeatMs / 2);
    this.lastLookAt = now;
    for (const worker of this.workers.values()) {
      worker.lastHeardAt += heldUpMs;
      const silentMs = now - worker.lastHeardAt;
      if (worker.lost || silentMs <= silenceLimitMs(this.timings)) continue;
      this._heartbeatTimeouts += 1;
      worker.lost = true;
      if (worker.runListener) worker.runListener.lost(worker, silentMs);
      else this.forget(worker);
    }
  }

  private forget(worker: Worker): void {
    worker.orders.close();
    this.workers.delete(worker.id);
  }
}
