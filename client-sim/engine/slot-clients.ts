import type { Failure } from '../measure/failure.js';
import type { Scheduler } from './scheduler.js';
import type { VirtualClient } from './virtual-client.js';

/** The clients whose session a lane is: one, but for pooled sessions. */
export class SlotClients {
  /** How many want the session now. */
  wanted = 0;
  /** Those of a pooled session that wait for room. */
  readonly queue: WaitingQueue;
  private clients: VirtualClient[] = [];

  constructor(private readonly scheduler: Scheduler) {
    this.queue = new WaitingQueue(scheduler);
  }

  add(client: VirtualClient): void {
    // The first not by `push`, which makes room for 17 where most lanes have one.
    if (this.clients.length === 0) this.clients = [client];
    else this.clients.push(client);
  }

  /** Something has changed for all of them. */
  markRunnable(): void {
    for (const client of this.clients) this.scheduler.markRunnable(client);
  }

  /** The session was refused. @param replica the one behind the endpoint, where that is one; else 0 */
  refuse(failure: Failure, replica: number): void {
    for (const client of this.clients) client.refused(failure, replica);
  }

  /** There is room for so many requests. */
  offerRoom(room: number, pooled: boolean): void {
    if (!pooled) return this.markRunnable();
    for (let turn = 0; turn < room && this.queue.contended; turn++) this.queue.grantNext();
  }
}

/** Clients of a shared session that wait for room: first come, first served, one operation a turn. */
class WaitingQueue {
  private readonly clients: VirtualClient[] = [];

  constructor(private readonly scheduler: Scheduler) {}

  get contended(): boolean {
    return this.clients.length > 0;
  }

  join(client: VirtualClient): void {
    if (client.inQueue) return;
    client.inQueue = true;
    this.clients.push(client);
  }

  /** There is room for one more: the first in line may use it, in this turn of the floor. */
  grantNext(): void {
    const next = this.clients.shift();
    if (next === undefined) return;
    next.inQueue = false;
    next.roomGranted = true;
    this.scheduler.markRunnable(next);
  }
}
