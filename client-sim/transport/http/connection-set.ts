import type { Connection } from './connection.js';

/** Control messages that may wait for their HTTP answers on the side connection at once. */
export const SIDE_DEPTH = 64;

interface ConnectionMaker {
  /** @param depth requests in flight at once */
  newConnection(depth: number): Connection;
}

/** The connections of one session: those that take the requests of its load in turn, and one beside them. */
export class ConnectionSet {
  /** The connections of the load. */
  readonly all: readonly Connection[];
  private existingSide: Connection | undefined;
  private cursor = 0;
  /** Flushes requested within a read are done at its end: one write for everything that its answers caused. */
  private reading = false;
  private flushWanted = false;

  /** @param depth requests in flight at once, on each connection of the load */
  constructor(
    private readonly maker: ConnectionMaker,
    count: number,
    depth: number,
  ) {
    // Not by `push`, which makes room for 17.
    this.all = Array.from({ length: count }, () => maker.newConnection(depth));
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

  /** A connection that is up and has no request in flight. */
  get idle(): Connection | undefined {
    return this.all.find((one) => one.isUp && one.ring.count === 0);
  }

  /**
   * For control messages without an answer of their own: behind an open stream on a connection of the load they might
   * wait forever. Made when it is first needed.
   */
  get side(): Connection {
    return (this.existingSide ??= this.maker.newConnection(SIDE_DEPTH));
  }

  get withSide(): readonly Connection[] {
    return this.existingSide === undefined ? this.all : [...this.all, this.existingSide];
  }

  isSide(connection: Connection): boolean {
    return connection === this.existingSide;
  }

  connect(): void {
    for (const connection of this.all) connection.connect();
  }

  /** The next connection with room. Precondition: `room > 0`. */
  next(): Connection {
    const { all } = this;
    for (let tries = all.length; tries > 0; tries--) {
      const connection = all[this.cursor] as Connection;
      this.cursor = this.cursor + 1 === all.length ? 0 : this.cursor + 1;
      if (connection.room > 0) return connection;
    }
    throw new RangeError('send() without room: the caller must check room first');
  }

  /** Stops waiting for the request with this ticket. @returns the id of the request; -1: it is on none of them */
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
    this.flushWanted = false;
    const { all } = this;
    for (let index = 0; index < all.length; index++) (all[index] as Connection).flush();
  }

  onReadStart(): void {
    this.reading = true;
  }

  /** From now on `flush` writes at once. */
  onReadOver(): void {
    this.reading = false;
  }

  /** Writes what was flushed during the read and not since. */
  onReadEnd(): void {
    this.reading = false;
    if (this.flushWanted) this.flush();
  }
}
