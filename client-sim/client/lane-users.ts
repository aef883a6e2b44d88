import type { Failure } from '../measure/failure.js';
import type { Floor } from './floor.js';
import type { VirtualClient } from './virtual-client.js';
import { WaitingLine } from './waiting-line.js';

/** The clients whose session a lane is: one, but for pooled sessions. */
export class LaneUsers {
  /** How many want the session now. */
  wanted = 0;
  /** Those of a pooled session that wait for room. */
  readonly line: WaitingLine;
  private clients: VirtualClient[] = [];

  constructor(private readonly floor: Floor) {
    this.line = new WaitingLine(floor);
  }

  add(client: VirtualClient): void {
    // The first not by `push`, which makes room for 17 where most lanes have one.
    if (this.clients.length === 0) this.clients = [client];
    else this.clients.push(client);
  }

  /** Something has changed for all of them. */
  touch(): void {
    for (const client of this.clients) this.floor.touch(client);
  }

  /** The session was refused. @param replica the one behind the endpoint, where that is one; else 0 */
  refuse(failure: Failure, replica: number): void {
    for (const client of this.clients) client.refused(failure, replica);
  }

  /** There is room for so many requests. */
  invite(room: number, pooled: boolean): void {
    if (!pooled) return this.touch();
    for (let turn = 0; turn < room && this.line.contended; turn++) this.line.grantTurn();
  }
}
