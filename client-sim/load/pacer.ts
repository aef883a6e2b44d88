import { TickView } from './metronome.js';

/**
 * Calls the pump again and again. A pump sends everything that is due by elapsed time, never "n per tick": a 1 ms timer
 * really fires every 1.1 ms (libuv rounds up), and a late tick must not lower the rate.
 */
interface Pacer {
  /**
   * @param beat called about once a millisecond by a timer or an immediate, after a pump; see `OwnShare.beat`
   * @param nextMs when the next pump is needed: `performance.now()`, Infinity: not known
   */
  start(pump: () => void, beat: () => void, nextMs: () => number): void;
  stop(): void;
}

export type Pacing = 'batch' | 'metronome' | 'spin';

/** How a profile asks to be paced. `auto`: by the metronome, unless its worker sends more than `MOST_EXACT`. */
export type PacingWish = Pacing | 'auto';

/**
 * Operations a second of one worker, up to which `auto` is `metronome`. There it takes up to a fifth of a core more
 * than `batch`, whose 0.6 ms in the median are more than anything else that we add at such a rate.
 */
export const MOST_EXACT = 1_000;

/** @param ratePerSecond what the worker sends by the clock, all profiles together */
export function pacingFor(wish: PacingWish, ratePerSecond: number): Pacing {
  if (wish !== 'auto') return wish;
  return ratePerSecond > 0 && ratePerSecond <= MOST_EXACT ? 'metronome' : 'batch';
}

/** The finest pacing that any of the profiles on one thread asks for. */
export function finestPacing(pacings: readonly Pacing[]): Pacing {
  if (pacings.includes('spin')) return 'spin';
  return pacings.includes('metronome') ? 'metronome' : 'batch';
}

/**
 * @param ticks the shared numbers of a running metronome, for pacing `metronome` only
 * @param engine number of this engine thread
 */
export function createPacer(pacing: Pacing, ticks: SharedArrayBuffer | undefined, engine = 0): Pacer {
  switch (pacing) {
    case 'batch':
      return new BatchPacer();
    case 'spin':
      return new SpinPacer();
    case 'metronome':
      if (ticks === undefined) throw new TypeError('metronome pacing needs a running metronome');
      return new MetronomePacer(new TickView(ticks, engine));
  }
}

class BatchPacer implements Pacer {
  private timer: NodeJS.Timeout | undefined;

  start(pump: () => void, beat: () => void): void {
    this.timer = setInterval(() => {
      pump();
      beat();
    }, 1);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

/** Takes a core of its own: the send lag is one turn of the event loop. */
class SpinPacer implements Pacer {
  private immediate: NodeJS.Immediate | undefined;

  start(pump: () => void, beat: () => void): void {
    const turn = (): void => {
      this.immediate = setImmediate(turn);
      pump();
      beat();
    };
    turn();
  }

  stop(): void {
    if (this.immediate !== undefined) clearImmediate(this.immediate);
  }
}

/** An alarm is set so much before it is needed: the metronome's thread and then this one have to wake up. */
const EARLY_MS = 0.15;
/** Where the next operation is due sooner than this, the ticks of the metronome are fine enough. */
const SPARSE_MS = 0.3;

/**
 * The metronome wakes the thread a little before something is due. What is left until then it makes turn after turn of
 * its event loop, so that its sockets are read meanwhile.
 */
class MetronomePacer implements Pacer {
  private running = false;
  private immediate: NodeJS.Immediate | undefined;
  /** Bounds every sleep, and keeps the event loop alive, which a pending `waitAsync` does not. */
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly view: TickView) {}

  start(pump: () => void, beat: () => void, nextMs: () => number): void {
    this.running = true;
    let sparse = false;
    const turn = (): void => {
      this.immediate = undefined;
      pump();
      const dueMs = nextMs();
      const aheadMs = dueMs - performance.now();
      if (aheadMs > SPARSE_MS) sparse = true;
      else if (aheadMs <= 0) sparse = false;
      if (!sparse) this.view.setAlarm(dueMs);
      else if (aheadMs > EARLY_MS) this.view.setAlarm(dueMs - EARLY_MS);
      else if (this.running) this.immediate = setImmediate(turn);
    };
    const again = (): void => {
      if (this.immediate === undefined) turn();
    };
    this.timer = setInterval(() => {
      again();
      beat();
    }, 1);
    void this.follow(again);
  }

  stop(): void {
    this.running = false;
    clearInterval(this.timer);
    clearImmediate(this.immediate);
    this.view.setAlarm(Infinity);
  }

  private async follow(pump: () => void): Promise<void> {
    while (this.running) {
      await this.view.next();
      if (this.running) pump();
    }
  }
}
