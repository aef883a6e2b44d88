import { TickView } from './metronome.js';

/**
 * Calls the pump again and again. A pump sends everything that is due by elapsed time, never "n per tick": a 1 ms timer
 * really fires every 1.1 ms (libuv rounds up), and a late tick must not lower the rate.
 */
interface Pacer {
  start(pump: () => void): void;
  stop(): void;
}

export type Pacing = 'batch' | 'metronome' | 'spin';

/** The finest pacing that any of the profiles on one thread asks for. */
export function finestPacing(pacings: readonly Pacing[]): Pacing {
  if (pacings.includes('spin')) return 'spin';
  return pacings.includes('metronome') ? 'metronome' : 'batch';
}

/** @param ticks the shared counter of a running metronome, for pacing `metronome` only */
export function createPacer(pacing: Pacing, ticks: SharedArrayBuffer | undefined): Pacer {
  switch (pacing) {
    case 'batch':
      return new BatchPacer();
    case 'spin':
      return new SpinPacer();
    case 'metronome':
      if (ticks === undefined) throw new TypeError('metronome pacing needs a running metronome');
      return new MetronomePacer(new TickView(ticks));
  }
}

class BatchPacer implements Pacer {
  private timer: NodeJS.Timeout | undefined;

  start(pump: () => void): void {
    this.timer = setInterval(pump, 1);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

/** Takes a core of its own: the send lag is one turn of the event loop. */
class SpinPacer implements Pacer {
  private immediate: NodeJS.Immediate | undefined;

  start(pump: () => void): void {
    const turn = (): void => {
      this.immediate = setImmediate(turn);
      pump();
    };
    turn();
  }

  stop(): void {
    if (this.immediate !== undefined) clearImmediate(this.immediate);
  }
}

class MetronomePacer implements Pacer {
  private running = false;
  /** A pending `waitAsync` does not keep the event loop alive. */
  private anchor: NodeJS.Timeout | undefined;

  constructor(private readonly view: TickView) {}

  start(pump: () => void): void {
    this.running = true;
    this.anchor = setInterval(() => undefined, 1_000);
    void this.beat(pump);
  }

  stop(): void {
    this.running = false;
    clearInterval(this.anchor);
  }

  private async beat(pump: () => void): Promise<void> {
    while (this.running) {
      await this.view.next();
      if (this.running) pump();
    }
  }
}
