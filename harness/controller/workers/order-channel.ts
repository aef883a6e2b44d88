import type { Order } from '../../../client-sim/protocol/messages.js';

/** One open connection of a worker, over which numbered orders are sent. */
interface OrderSink {
  send(id: number, order: Order): void;
  /** Called when a newer connection of the same worker takes over, or the worker is forgotten. */
  end(): void;
}

/**
 * The orders of one worker, numbered from 1 and kept until its run is over, so that a new connection resumes where the
 * broken one stopped. In doubt orders are repeated, which is harmless because they carry ids of their own. An order
 * without an id is withdrawn when it has been done.
 */
export class OrderChannel {
  private orders: { readonly id: number; readonly order: Order }[] = [];
  private lastId = 0;
  private sink: OrderSink | undefined;
  /** The worker may have seen numbers of the previous controller, which mean nothing here. */
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
   * Sends the orders that the worker has not seen, then new ones as they come. When its last number is of the previous
   * controller, it has seen none of ours: they are renumbered to follow that number.
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

  /** The order has been done; a worker that asks for its orders from the beginning must not do it again. */
  withdraw(order: Order): void {
    this.orders = this.orders.filter((given) => given.order !== order);
  }

  /** The run is over: its orders are dropped, but the numbers continue. */
  forget(): void {
    this.orders = [];
  }

  close(): void {
    this.sink?.end();
    this.sink = undefined;
  }
}
