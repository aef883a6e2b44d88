/**
 * Requests in flight on one connection, oldest first: HTTP/1.1 answers in order. One small Int32Array instead of an
 * object per request: nothing to allocate or collect, and a thousand connections stay in the cache.
 */
export class TicketRing {
  count = 0;
  private first = 0;
  private readonly mask: number;
  private readonly fields: Int32Array;

  constructor(capacity: number) {
    let size = 1;
    while (size < capacity) size *= 2;
    this.mask = size - 1;
    this.fields = new Int32Array(size * WIDTH);
  }

  push(ticket: number, id: number, template: number, slot: number, sequence: number): void {
    const base = ((this.first + this.count++) & this.mask) * WIDTH;
    this.fields[base + TICKET] = ticket;
    this.fields[base + ID] = id;
    this.fields[base + TEMPLATE] = template;
    this.fields[base + SLOT] = slot;
    this.fields[base + SEQUENCE] = sequence;
    this.fields[base + STATE] = WAITING;
  }

  /** Ticket of the oldest request. Precondition of this getter and the next five: `count > 0`. */
  get ticket(): number {
    return this.fields[this.first * WIDTH + TICKET] as number;
  }
  get id(): number {
    return this.fields[this.first * WIDTH + ID] as number;
  }
  get template(): number {
    return this.fields[this.first * WIDTH + TEMPLATE] as number;
  }
  get slot(): number {
    return this.fields[this.first * WIDTH + SLOT] as number;
  }
  get sequence(): number {
    return this.fields[this.first * WIDTH + SEQUENCE] as number;
  }
  /** The client no longer waits for it. */
  get abandoned(): boolean {
    return this.fields[this.first * WIDTH + STATE] !== WAITING;
  }

  /** The answer of the oldest was delivered although its stream is still open. */
  markDelivered(): void {
    this.fields[this.first * WIDTH + STATE] = GONE;
  }

  /** @returns whether it was waiting here */
  abandon(ticket: number): boolean {
    for (let index = 0; index < this.count; index++) {
      const base = ((this.first + index) & this.mask) * WIDTH;
      if (this.fields[base + TICKET] !== ticket || this.fields[base + STATE] !== WAITING) continue;
      this.fields[base + STATE] = GONE;
      return true;
    }
    return false;
  }

  /** Calls back with the ticket of each that waits, oldest first. */
  forEachWaiting(visit: (ticket: number) => void): void {
    for (let index = 0; index < this.count; index++) {
      const base = ((this.first + index) & this.mask) * WIDTH;
      if (this.fields[base + STATE] === WAITING) visit(this.fields[base + TICKET] as number);
    }
  }

  /** Id of the request that waits with this ticket; -1: none does. */
  idOf(ticket: number): number {
    for (let index = 0; index < this.count; index++) {
      const base = ((this.first + index) & this.mask) * WIDTH;
      if (this.fields[base + TICKET] === ticket && this.fields[base + STATE] === WAITING)
        return this.fields[base + ID] as number;
    }
    return -1;
  }

  get hasWaiting(): boolean {
    for (let index = 0; index < this.count; index++) {
      if (this.fields[((this.first + index) & this.mask) * WIDTH + STATE] === WAITING) return true;
    }
    return false;
  }

  /** Whether a request with a ticket of its own is waiting: those of the session itself have -1. */
  get hasWaitingCall(): boolean {
    for (let index = 0; index < this.count; index++) {
      const base = ((this.first + index) & this.mask) * WIDTH;
      if (this.fields[base + STATE] === WAITING && (this.fields[base + TICKET] as number) >= 0) return true;
    }
    return false;
  }

  shift(): void {
    this.first = (this.first + 1) & this.mask;
    this.count--;
  }
}

const TICKET = 0;
const ID = 1;
const TEMPLATE = 2;
const SLOT = 3;
const SEQUENCE = 4;
const STATE = 5;
const WIDTH = 6;
const WAITING = 0;
const GONE = 1;
