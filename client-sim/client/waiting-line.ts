import type { Floor } from './floor.js';
import type { VirtualClient } from './virtual-client.js';

/** Clients of a shared session that wait for room: first come, first served, one operation a turn. */
export class WaitingLine {
  private readonly clients: VirtualClient[] = [];

  constructor(private readonly floor: Floor) {}

  get contended(): boolean {
    return this.clients.length > 0;
  }

  join(client: VirtualClient): void {
    if (client.inLine) return;
    client.inLine = true;
    this.clients.push(client);
  }

  /** There is room for one more: the first in line may use it, in this turn of the floor. */
  grantTurn(): void {
    const next = this.clients.shift();
    if (next === undefined) return;
    next.inLine = false;
    next.hasTurn = true;
    this.floor.touch(next);
  }
}
