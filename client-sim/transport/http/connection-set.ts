import type { Connection } from './connection.js';

/** The connections of one session, which take its requests in turn. */
export class ConnectionSet {
  readonly all: readonly Connection[];
  private cursor = 0;
  /** Flushes asked for within a read are done at its end: one write for all that its answers set off. */
  private reading = false;
  private flushWanted = false;

  constructor(count: number, newConnection: () => Connection) {
    // Not by `push`, which makes room for 17.
    this.all = Array.from({ length: count }, newConnection);
  }

  get room(): number {
    const { all } = this;
    let room = 0;
    for (let index = 0; index < all.length; index++) room += (all[index] as Connection).room;
    return room;
  }

  /** How many are up. */
  get up(): number {
    return this.all.filter((connection) => connection.isUp).length;
  }

  /** One that is up and has nothing to do. */
  get idle(): Connection | undefined {
    return this.all.find((one) => one.isUp && one.ring.count === 0);
  }

  connect(): void {
    for (const connection of this.all) connection.connect();
  }

  /** The next that has room. Precondition: `room > 0`. */
  next(): Connection {
    const { all } = this;
    for (let tries = all.length; tries > 0; tries--) {
      const connection = all[this.cursor] as Connection;
      this.cursor = this.cursor + 1 === all.length ? 0 : this.cursor + 1;
      if (connection.room > 0) return connection;
    }
    throw new RangeError('send() without room: the caller must look at room first');
  }

  /** @returns the id of the request with this ticket, which nobody waits for now; -1: it is on none of them */
  abandon(ticket: number): number {
    for (const connection of this.all) {
      const id = connection.ring.idOf(ticket);
      if (id < 0) continue;
      connection.abandon(ticket);
      return id;
    }
    return -1;
  }

  flush(): void {
    if (this.reading) {
      this.flushWanted = true;
      return;
    }
    const { all } = this;
    for (let index = 0; index < all.length; index++) (all[index] as Connection).flush();
  }

  readStarted(): void {
    this.reading = true;
  }

  readOver(): void {
    this.reading = false;
    if (!this.flushWanted) return;
    this.flushWanted = false;
    this.flush();
  }
}
