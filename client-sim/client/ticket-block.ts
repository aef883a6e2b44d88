import type { TicketTable } from './ticket-table.js';

/** The rows of the ticket table that belong to one lane; a channel knows them as tickets, counted from 0. */
export class TicketBlock {
  private readonly base: number;
  private readonly free: Int32Array;
  private _left: number;

  constructor(
    private readonly table: TicketTable,
    private readonly lane: number,
    capacity: number,
  ) {
    this.base = table.reserve(capacity);
    this.free = Int32Array.from({ length: capacity }, (_, index) => this.base + capacity - 1 - index);
    this._left = capacity;
  }

  get left(): number {
    return this._left;
  }

  get inFlight(): number {
    return this.free.length - this._left;
  }

  /** A free row. Precondition: one is left. */
  take(): number {
    const row = this.free[--this._left] as number;
    this.table.lane[row] = this.lane;
    return row;
  }

  give(row: number): void {
    this.free[this._left++] = row;
  }

  ticketOf(row: number): number {
    return row - this.base;
  }

  /** @throws Error when the ticket is not in flight: an answer would be booked to somebody else */
  rowOf(ticket: number): number {
    const row = this.base + ticket;
    if (ticket >= this.free.length || (this.table.series[row] as number) < 0)
      throw new Error(`channel answered ticket ${ticket}, which is not in flight`);
    return row;
  }
}
