import { type IdBlocks, isRunId } from '../../mcp/request-ids.js';
import { FIRST_ID, LAST_ID } from '../../protocol/id-ranges.js';

/**
 * Requests in flight on one connection whose answers may come in any order, found by their id. One small Int32Array
 * instead of a map and an object per request: nothing to allocate or collect. Ids count up; an id whose row is still
 * taken by an older request is skipped, so the lowest bits of an id are its row.
 */
export class TicketWindow {
  /** How many requests are in flight. */
  waiting = 0;
  /** Of the youngest request. */
  private lastId = FIRST_ID;
  private readonly mask: number;
  private readonly fields: Int32Array;

  /** @param depth most requests in flight at once */
  constructor(
    depth: number,
    private readonly ids: IdBlocks,
  ) {
    let size = 2;
    while (size < 2 * depth) size *= 2;
    this.mask = size - 1;
    this.fields = new Int32Array(size * WIDTH);
  }

  /** @returns the id of the request. Precondition: fewer than `depth` are in flight */
  claim(ticket: number, template: number, slot: number, sequence: number): number {
    const { fields, mask } = this;
    let id = this.ids.take();
    while (fields[(id & mask) * WIDTH + ID] !== 0) id = this.ids.take();
    this.lastId = id;
    const base = (id & mask) * WIDTH;
    fields[base + ID] = id;
    fields[base + TICKET] = ticket;
    fields[base + TEMPLATE] = template;
    fields[base + SLOT] = slot;
    fields[base + SEQUENCE] = sequence;
    this.waiting++;
    return id;
  }

  /** @returns the row of the request with this id, or -1 */
  find(id: number): number {
    const row = id & this.mask;
    return id !== 0 && this.fields[row * WIDTH + ID] === id ? row : -1;
  }

  /** The request at `row` is no longer in flight; its fields can be read until the row is taken again. */
  release(row: number): void {
    this.fields[row * WIDTH + ID] = 0;
    this.waiting--;
  }

  /** @returns the row of the request with this ticket, or -1 */
  rowOf(ticket: number): number {
    for (let row = 0; row <= this.mask; row++) {
      if (this.fields[row * WIDTH + ID] !== 0 && this.fields[row * WIDTH + TICKET] === ticket) return row;
    }
    return -1;
  }

  /** @returns the row of the request that has waited longest, or -1 */
  oldest(): number {
    let oldest = -1;
    for (let row = 0; row <= this.mask; row++) {
      if (this.fields[row * WIDTH + ID] === 0) continue;
      if (oldest < 0 || this.age(row) > this.age(oldest)) oldest = row;
    }
    return oldest;
  }

  /** Whether one of the last thousands of requests had this id. */
  wasUsed(id: unknown): boolean {
    return typeof id === 'number' && isRunId(id) && this.ids.owns(id);
  }

  id(row: number): number {
    return this.fields[row * WIDTH + ID] as number;
  }
  ticket(row: number): number {
    return this.fields[row * WIDTH + TICKET] as number;
  }
  template(row: number): number {
    return this.fields[row * WIDTH + TEMPLATE] as number;
  }
  slot(row: number): number {
    return this.fields[row * WIDTH + SLOT] as number;
  }
  sequence(row: number): number {
    return this.fields[row * WIDTH + SEQUENCE] as number;
  }

  /** How many ids ago it was sent, across the wrap-around. */
  private age(row: number): number {
    const ago = this.lastId - this.id(row);
    return ago >= 0 ? ago : ago + LAST_ID - FIRST_ID + 1;
  }
}

const ID = 0;
const TICKET = 1;
const TEMPLATE = 2;
const SLOT = 3;
const SEQUENCE = 4;
const WIDTH = 5;
