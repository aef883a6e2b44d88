import type { TicketTable } from './ticket-table.js';

/** The rows of the ticket table that belong to one lane; a channel knows them as tickets, counted from 0. */
export class TicketBlock {
  readonly #table: TicketTable;
  readonly #lane: number;
  readonly #base: number;
  readonly #free: Int32Array;
  #left: number;

  constructor(table: TicketTable, lane: number, capacity: number) {
    this.#table = table;
    this.#lane = lane;
    this.#base = table.reserve(capacity);
    this.#free = Int32Array.from({ length: capacity }, (_, index) => this.#base + capacity - 1 - index);
    this.#left = capacity;
  }

  get left(): number {
    return this.#left;
  }

  get inFlight(): number {
    return this.#free.length - this.#left;
  }

  /** A free row. Precondition: one is left. */
  take(): number {
    const row = this.#free[--this.#left] as number;
    this.#table.lane[row] = this.#lane;
    return row;
  }

  give(row: number): void {
    this.#free[this.#left++] = row;
  }

  ticketOf(row: number): number {
    return row - this.#base;
  }

  /** @throws Error when the ticket is not in flight: an answer would be booked to somebody else */
  rowOf(ticket: number): number {
    const row = this.#base + ticket;
    if (ticket >= this.#free.length || (this.#table.series[row] as number) < 0) throw new Error(`channel answered ticket ${ticket}, which is not in flight`);
    return row;
  }
}
