import { Worker } from 'node:worker_threads';

/**
 * Engine threads that have loaded their code and wait for a run: starting one takes 50 ms on a quiet machine and a
 * second on a busy one, which would be missing at the beginning of the load.
 */
export class SpareThreads {
  private readonly spare: Worker[] = [];
  private closed = false;

  constructor(private readonly count: number) {
    this.fill();
  }

  /** One thread that waits for its `start` message; it is the caller's now. */
  take(): Worker {
    return this.spare.shift() ?? start();
  }

  /** Makes up for the threads taken; called when a run is over, so that it does not disturb one. */
  refill(): void {
    if (!this.closed) this.fill();
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.spare.splice(0).map((thread) => thread.terminate()));
  }

  private fill(): void {
    while (this.spare.length < this.count) this.spare.push(start());
  }
}

function start(): Worker {
  return new Worker(new URL('./engine-thread.js', import.meta.url));
}
