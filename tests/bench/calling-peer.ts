import type { LoadTally } from './load-time.js';

/** A connection of some library: text messages both ways. */
interface MessageConnection {
  send(text: string): void;
  /** What is sent until `uncork` leaves in one write. */
  cork(): void;
  uncork(): void;
}

const INITIALIZE = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
};
const ECHO = { name: 'echo', arguments: { message: 'abcdefghijklmnopqrstuvwxyz012345' } };

/**
 * Calls a tool over one connection, as a program would that uses the library: unique ids, every answer parsed and its
 * id matched, the next call sent as soon as one is answered. Corked: what is sent while one read is worked on leaves in
 * one write, at the end of the turn.
 */
export class CallingPeer {
  private readonly corks: boolean;
  private readonly waiting = new Set<number>();
  private nextId = 1_000_000_000;
  private corked = false;

  constructor(
    private readonly connection: MessageConnection,
    how: string,
    private readonly tally: LoadTally,
  ) {
    this.corks = how === 'corked';
  }

  /** @param depth requests in flight */
  begin(depth: number): void {
    this.send(INITIALIZE);
    for (let flight = 0; flight < depth; flight++) this.call();
  }

  onMessage(text: string): void {
    const message = JSON.parse(text) as { readonly id: number; readonly result?: { readonly isError?: boolean } };
    if (message.id === INITIALIZE.id) return;
    if (this.waiting.delete(message.id) && message.result !== undefined && message.result.isError !== true)
      this.tally.correct++;
    else this.tally.failed++;
    this.call();
  }

  private call(): void {
    const id = this.nextId++;
    this.waiting.add(id);
    if (this.corks && !this.corked) this.cork();
    this.send({ id, method: 'tools/call', params: ECHO });
  }

  private send(message: object): void {
    this.connection.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
  }

  private cork(): void {
    this.corked = true;
    this.connection.cork();
    setImmediate(() => {
      this.corked = false;
      this.connection.uncork();
    });
  }
}
