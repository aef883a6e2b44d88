import type { Failure } from '../measure/failure.js';
import type { Runnable, Scheduler } from './scheduler.js';

/** A client as its session slots see it. */
export interface SlotClient extends Runnable {
  /** Pooled session: it waits for room. */
  inQueue: boolean;
  /** Pooled session: the slot keeps room for it. */
  roomGranted: boolean;
  /** @param replica number of the replica that answered, or to which the operation was sent; 0: not known */
  answered(row: number, failure: Failure | undefined, replica: number): void;
  /** Its session was refused. @param replica the one behind the endpoint; 0 where there is not exactly one */
  refused(failure: Failure, replica: number): void;
}

/**
 * The clients that share one session: exactly one, except in a pooled session. Clients of a pooled session that wait
 * for room are served first come, first served, one operation at a time.
 */
export class SlotClients {
  /** How many want the session now. */
  wanted = 0;
  private all: SlotClient[] = [];
  private readonly waiting: SlotClient[] = [];

  constructor(private readonly scheduler: Scheduler) {}

  /** Some client waits for room. */
  get contended(): boolean {
    return this.waiting.length > 0;
  }

  add(client: SlotClient): void {
    // The first is not added by `push`, which makes room for 17 where most slots have one client.
    if (this.all.length === 0) this.all = [client];
    else this.all.push(client);
  }

  /** Something has changed for all of them. */
  markRunnable(): void {
    for (const client of this.all) this.scheduler.markRunnable(client);
  }

  /** The session was refused. @param replica the one behind the endpoint; 0 where there is not exactly one */
  refuse(failure: Failure, replica: number): void {
    for (const client of this.all) client.refused(failure, replica);
  }

  /** There is room for this many requests. */
  offerRoom(room: number, pooled: boolean): void {
    if (!pooled) return this.markRunnable();
    for (let turn = 0; turn < room && this.contended; turn++) this.grantNext();
  }

  joinQueue(client: SlotClient): void {
    if (client.inQueue) return;
    client.inQueue = true;
    this.waiting.push(client);
  }

  /** There is room for one more request: the first client in the queue may use it in this turn. */
  grantNext(): void {
    const next = this.waiting.shift();
    if (next === undefined) return;
    next.inQueue = false;
    next.roomGranted = true;
    this.scheduler.markRunnable(next);
  }
}
