import type { Order } from '../../../client-sim/protocol/messages.js';

/** Where numbered orders go: one open connection of a worker. */
interface OrderSink {
  send(id: number, order: Order): void;
  /** A newer connection of the same worker took over, or the worker is forgotten. */
  end(): void;
}

/**
 * The orders of one worker, numbered from 1, kept until its run is over so that a connection that broke goes on where
 * it stopped. Orders can be given twice without harm (they carry ids of their own), so in doubt they are repeated; one
 * that cannot is withdrawn when it has been done.
 */
export class OrderChannel {
  private orders: { readonly id: number; readonly order: Order }[] = [];
  private lastId = 0;
  private sink: OrderSink | undefined;
  /** The worker may have seen numbers of a controller before this one, which say nothing about ours. */
  private foreignNumbers: boolean;

  constructor(foreignNumbers = false) {
    this.foreignNumbers = foreignNumbers;
  }

  get connected(): boolean {
    return this.sink !== undefined;
  }

  give(order: Order): void {
    this.lastId += 1;
    this.orders.push({ id: this.lastId, order });
    this.sink?.send(this.lastId, order);
  }

  /**
   * Sends what the worker has not seen, then everything new. Where its last number is of a controller before this one,
   * none of our orders has been seen: they are renumbered to follow it.
   * @param lastSeen the connection's `Last-Event-ID`, 0 when it has none
   */
  connect(sink: OrderSink, lastSeen: number): void {
    const previous = this.sink;
    this.sink = sink;
    previous?.end();
    if (lastSeen > this.lastId || (this.foreignNumbers && lastSeen > 0)) {
      this.orders = this.orders.map(({ order }, index) => ({ id: lastSeen + index + 1, order }));
      this.lastId = lastSeen + this.orders.length;
    }
    this.foreignNumbers = false;
    for (const { id, order } of this.orders) if (id > lastSeen) sink.send(id, order);
  }

  disconnect(sink: OrderSink): void {
    if (this.sink === sink) this.sink = undefined;
  }

  /** It has been done, and is not to be done again by a worker that asks for its orders from the beginning. */
  withdraw(order: Order): void {
    this.orders = this.orders.filter((given) => given.order !== order);
  }

  /** The run is over: its orders are history; the numbers go on. */
  forget(): void {
    this.orders = [];
  }

  close(): void {
    this.sink?.end();
    this.sink = undefined;
  }
}
